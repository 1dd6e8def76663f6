"""A request to stop that can be waited for, made by a signal or by another thread."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
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
        os.set_blocking(self._writer, False)
        # Not select(), which refuses the descriptors of an application that has more than 1,024.
        self._poll = select.poll()
        self._poll.register(self._reader, select.POLLIN)
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
        os.close(self._reader)
        os.close(self._writer)

    def wait(self, seconds: float, wakeup: Readable | None = None) -> bool:
        """Wait until the stop is requested or ``wakeup`` is set, ``seconds`` at most; returns
        whether the stop was requested.
        """
        if not self._set and seconds > 0:
            poll = self._poll
            if wakeup is not None:
                poll = select.poll()
                for readable in (self._reader, wakeup):
                    poll.register(readable, select.POLLIN)
            # poll() knows whole milliseconds only. The rest is slept, so that no job is late by it;
            # select() of nothing does so under libfaketime too, where sleep() fails.
            whole = int(seconds * 1000)
            if not poll.poll(whole):
                select.select((), (), (), max(seconds - whole / 1000, 0.0))
        return self._set


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
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            # A process that was asked to stop is about to end; a second signal must not kill it.
            is_over = stop.is_set() and number in SIGNALS
            signal.signal(number, signal.SIG_IGN if is_over else handler)
