"""A request to stop that can be waited for, made by a signal or by another thread."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from clock.bell import Bell

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

PATIENCE = 0.7
"""Seconds the claim in hand has to finish once a stop was requested. One that a silent server holds
up longer is abandoned; it is decided there or it is not, and the next start finds out."""


class Abandon(BaseException):
    """Raised in the main thread when the claim in hand has not finished in time for a stop."""


class Stop:
    """A flag, set once. A pipe makes waiting for it safe against a signal at any moment."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._set = False

    def fileno(self) -> int:
        """What becomes readable once the stop is requested, for a selector."""
        return self._reader

    def set(self) -> None:
        """Request the stop; may be called again, from any thread or signal handler."""
        if not self._set:
            self._set = True
            os.write(self._writer, b".")

    def is_set(self) -> bool:
        """Whether the stop was requested."""
        return self._set

    def close(self) -> None:
        """Give the pipe back; the flag is not used any more."""
        os.close(self._reader)
        os.close(self._writer)

    def wait(self, seconds: float, bell: Bell | None = None) -> bool:
        """Wait until the stop is requested or the bell rings, ``seconds`` at most; whether it was
        requested.
        """
        if not self._set and seconds > 0:
            readers = [self._reader] if bell is None else [self._reader, bell.fileno()]
            select.select(readers, [], [], seconds)
        return self._set


@contextmanager
def stopped_by_signals(stop: Stop, *, abandon: bool = True) -> Iterator[None]:
    """SIGTERM, SIGINT and SIGHUP request the stop while the block runs. For the main thread only.

    With ``abandon`` the block gets Abandon raised inside it where it goes on for ``PATIENCE``
    seconds after a request.
    """

    def request(_number: int, _frame: FrameType | None) -> None:
        if abandon and not stop.is_set():
            signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        stop.set()

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise Abandon

    before = {number: signal.signal(number, request) for number in SIGNALS}
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, give_up)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            # A process that was asked to stop is about to end; asked again on its way out, it must
            # not die of the question.
            is_over = stop.is_set() and number in SIGNALS
            signal.signal(number, signal.SIG_IGN if is_over else handler)
