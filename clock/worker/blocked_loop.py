"""The watch over the event loop of a child: which job blocks it, and the end of such a job."""

from __future__ import annotations

import asyncio
import signal
from threading import Thread
from types import FrameType

from clock import log
from clock.worker.async_run import RUN, AsyncRun

BLOCKED = 1.0
"""Seconds for which a task may keep the event loop from others until it is named in the log."""


class LoopWatch:
    """An alarm that the loop puts off while it runs. When it goes off, the job whose code runs is
    logged and, where its time is over or it was stopped, interrupted as RQ interrupts others.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Watch from now on."""
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
        self.arm()
        self._put_off()

    def arm(self) -> None:
        """Have the alarm again, which RQ uses for its own time limits."""
        signal.signal(signal.SIGALRM, self._on_alarm)
        signal.setitimer(signal.ITIMER_REAL, BLOCKED)

    def end(self) -> None:
        """Watch no more."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        if self._timer is not None:
            self._timer.cancel()

    def _put_off(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, BLOCKED)
        self._timer = self._loop.call_later(BLOCKED / 4, self._put_off)

    def _on_alarm(self, _number: int, frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_REAL, BLOCKED)
        run = RUN.get()
        if run is None:
            return
        if not run.is_named:
            run.is_named = True
            # In a thread: the code that the signal has interrupted may be that of a log handler.
            Thread(target=_name, args=(run, _location(frame)), daemon=True).start()
        reason = run.interruption()
        if reason is not None:
            raise reason


def _name(run: AsyncRun, location: str) -> None:
    job = run.taken.job
    reason = f"it has kept the event loop from other jobs for {BLOCKED:g} s, at {location}"
    log.warning("blocked", job=job.id, task=job.func_name, reason=reason)


def _location(frame: FrameType | None) -> str:
    return "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"
