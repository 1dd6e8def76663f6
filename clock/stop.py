"""A request to stop that can be waited for, made by a signal or by another thread."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Protocol

from clock import exit_codes

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""What ends a clock."""

PATIENCE = 0.7
"""Seconds the current claim has to finish after a stop request. One that a silent server holds
up longer is abandoned; it is decided there or it is not, and the next start finds out."""


class Readable(Protocol):
    """What a selector can wait for."""

    def fileno(self) -> int: ...


class Abandon(BaseException):
    """Raised in the main thread when the current claim has not finished in time for a stop."""


class Stop:
    """A flag, set once. A pipe makes waiting for it safe against a signal at any moment."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        self._woken, self.wake = os.pipe()
        """``wake`` is written to by whoever has something to do in the thread that waits."""
        for descriptor in (self._writer, self._woken, self.wake):
            os.set_blocking(descriptor, False)
        # Not select(), which refuses the descriptors of an application that has more than 1,024.
        self._poll = self._poll_of()
        self._owner = os.getpid()
        self._set = False

    def fileno(self) -> int:
        """What becomes readable once the stop is requested, for a selector."""
        return self._reader

    def set(self) -> None:
        """Request the stop; may be called again, from any thread or signal handler.

        In a fork only the flag is set: the pipe is its parent's too.
        """
        if not self._set:
            self._set = True
            if os.getpid() == self._owner:
                os.write(self._writer, b".")

    def is_set(self) -> bool:
        """Whether the stop was requested."""
        return self._set

    def __del__(self) -> None:
        # Not by a close(): the thread that waits and the one that sets it end in either order.
        for descriptor in (self._reader, self._writer, self._woken, self.wake):
            os.close(descriptor)

    def wait(self, seconds: float, *wakeups: Readable) -> bool:
        """Wait until the stop is requested, one of ``wakeups`` is set or a signal has come,
        ``seconds`` at most; returns whether the stop was requested.
        """
        if not self._set and seconds > 0:
            poll = self._poll_of(*wakeups) if wakeups else self._poll
            # poll() knows whole milliseconds only. The rest is slept, so that no job is late by it;
            # select() of nothing does so under libfaketime too, where sleep() fails.
            whole = int(seconds * 1000)
            if not poll.poll(whole):
                select.select((), (), (), max(seconds - whole / 1000, 0.0))
            with suppress(BlockingIOError):
                os.read(self._woken, 4096)
        return self._set

    def _poll_of(self, *more: Readable) -> select.poll:
        poll = select.poll()
        poll.register(self._reader, select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        for readable in more:
            poll.register(readable, select.POLLIN)
        return poll


def end_on_signals() -> None:
    """End with exit code 0 on a signal, until ``stopped_by_signals`` takes over.

    Nothing is begun yet that would have to be finished. As process 1 of a container the process
    would ignore what it has no handler for. A signal that it was started to ignore stays ignored.
    """
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            # Not an exception, which the schedule file that is being read may catch.
            signal.signal(number, lambda *_: os._exit(exit_codes.OK))


@contextmanager
def stopped_by_signals(stop: Stop, *, abandon: bool = True) -> Iterator[None]:
    """SIGTERM, SIGINT and SIGHUP request the stop while the block runs. For the main thread only.

    What the process was started to ignore, as under ``nohup``, stays ignored.

    With ``abandon`` the block gets Abandon raised inside it where it goes on for ``PATIENCE``
    seconds after a request.
    """

    def request(_number: int, _frame: FrameType | None) -> None:
        if abandon and not stop.is_set():
            signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        stop.set()

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise Abandon

    handled = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, request) for number in handled}
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, give_up)
    # Python calls a handler in the main thread, between two of its steps: a signal that comes just
    # before a wait, or to another thread, interrupts none.
    woken_before = signal.set_wakeup_fd(stop.wake, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(woken_before)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            # A process that was asked to stop is about to end; a second signal must not kill it.
            is_over = stop.is_set() and number in SIGNALS
            signal.signal(number, signal.SIG_IGN if is_over else handler)
