"""The grace of the job in hand once its worker was asked to stop.

SIGTERM, however often it comes, gives the job ``seconds`` to end; then it is told, by an exception;
``LAST_WORDS`` later it is killed. SIGINT alone waits for the job as long as it takes, as RQ does,
and a second one, a person at a terminal, kills it at once.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from threading import Thread

from clock.stop import Stop
from clock.worker.interruption import STOP

LAST_WORDS = 2.0
"""Seconds a job has to leave things in order once it was told. With the default grace, 25 seconds,
the worker is gone within the 30 that platforms give."""

SAME_REQUEST = 1.0
"""Seconds within which a second SIGINT is the first one, which came twice: from the terminal and
from a process manager."""

LOOK = 0.05
"""Seconds between two looks at the job once a stop was requested."""

log = logging.getLogger("clock")


class Grace(Thread):
    """Watches over the end of the job in hand. A thread, so that neither a silent server nor the
    wait for the job holds it up.
    """

    def __init__(
        self,
        seconds: float,
        *,
        horse: Callable[[], int],
        kill: Callable[[], None],
        job: Callable[[], str | None],
        forking: AbstractContextManager[object],
    ) -> None:
        """``horse`` gives the pid of the process that runs the job, 0 where there is none, ``kill``
        ends it, and ``job`` gives the job's id. While the worker forks, it holds ``forking``.
        """
        super().__init__(name="clock-grace", daemon=True)
        self.killed = False
        """Whether the job in hand was killed because of the stop."""
        self._seconds = seconds
        self._horse = horse
        self._kill = kill
        self._job = job
        self._forking = forking
        self._asked = Stop()
        self._requests: list[tuple[int, float]] = []
        self._heard = 0
        self._told: float | None = None

    def request(self, number: int) -> None:
        """Ask for the stop; safe in a signal handler, because it writes no line."""
        self._requests.append((number, time.monotonic()))
        self._asked.set()

    def run(self) -> None:
        """Wait for a request, then see the job to its end."""
        while not self._asked.wait(3600):
            pass
        while not self.killed:
            self._hear()
            self._step(time.monotonic())
            time.sleep(LOOK)

    def _hear(self) -> None:
        while self._heard < len(self._requests):
            number, _ = self._requests[self._heard]
            self._heard += 1
            is_first = number not in [each for each, _ in self._requests[: self._heard - 1]]
            grace = self._seconds if number == signal.SIGTERM else None
            if is_first:
                self._say("stopping", signal=signal.Signals(number).name, grace=grace)
            else:
                self._say("stopping", signal=signal.Signals(number).name, reason="asked again")

    def _step(self, now: float) -> None:
        pid = self._horse()
        if not pid:
            return
        if self._is_impatient():
            self._end(pid, "asked twice by SIGINT")
        elif self._told is not None:
            if now >= self._told + LAST_WORDS:
                self._end(pid, f"it did not end within {LAST_WORDS:g} s of being told")
        elif (since := self._first(signal.SIGTERM)) is not None and now >= since + self._seconds:
            self._say("told", reason=f"it did not end within {self._seconds:g} s")
            with suppress(ProcessLookupError):
                os.kill(pid, STOP)
            self._told = now

    def _end(self, pid: int, reason: str) -> None:
        self.killed = True
        self._say("killed", pid=pid, reason=reason)
        self._kill()

    def _first(self, number: int) -> float | None:
        return next((at for each, at in self._requests if each == number), None)

    def _is_impatient(self) -> bool:
        by_hand = [at for number, at in self._requests if number == signal.SIGINT]
        return bool(by_hand) and by_hand[-1] - by_hand[0] >= SAME_REQUEST

    def _say(self, message: str, **fields: object) -> None:
        # A process forked while another thread prints would wait for ever for the lock of stdout.
        with self._forking:
            log.warning(message, extra={"fields": {"job": self._job(), **fields}})
