"""The grace of the running jobs once their worker was asked to stop.

SIGTERM, however often it comes, gives each job ``seconds`` to end; then it is told, by an
exception; ``LAST_WORDS`` later it is killed. SIGINT alone waits for the jobs as long as they take,
as RQ does, and a second one, a person at a terminal, kills them at once.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Thread

from clock import log
from clock.stop import Stop

LAST_WORDS = 2.0
"""Seconds a job has to leave things in order once it was told. With the default grace, 25 seconds,
the worker is gone within the 30 that platforms give."""

SAME_REQUEST = 1.0
"""Seconds within which a second SIGINT is the first one, which came twice: from the terminal and
from a process manager."""

LOOK = 0.05
"""Seconds between two looks at the jobs once a stop was requested."""


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job, the process that runs it, and the execution."""

    pid: int
    job: str
    execution: str


class Grace(Thread):
    """Watches over the end of the running jobs. A thread, so that neither a silent server nor the
    wait for a job holds it up.
    """

    def __init__(
        self,
        seconds: float,
        *,
        running: Callable[[], Sequence[RunningJob]],
        tell: Callable[[RunningJob], None],
        kill: Callable[[int], None],
    ) -> None:
        """``running`` gives the jobs that run, ``tell`` interrupts one, and ``kill`` ends the
        process with that pid.
        """
        super().__init__(name="clock-grace", daemon=True)
        self.killed: set[int] = set()
        """The processes that were killed because of the stop."""
        self._seconds = seconds
        self._running = running
        self._tell = tell
        self._kill = kill
        self._asked = Stop()
        self._requests: list[tuple[int, float]] = []
        self._heard = 0
        self._interrupted: dict[str, float] = {}
        self._is_over = False

    def request(self, number: int) -> None:
        """Ask for the stop; safe in a signal handler, because it writes no line."""
        self._requests.append((number, time.monotonic()))
        self._asked.set()

    def end(self) -> None:
        """Watch no more; an application may have one worker after the other in its process."""
        self._is_over = True
        self._asked.set()

    def run(self) -> None:
        """Wait for a request, then see the jobs to their end."""
        while not self._asked.wait(3600):
            pass
        while not self._is_over:
            self._hear()
            for running in self._running():
                if running.pid not in self.killed:
                    self._look_at(running, time.monotonic())
            time.sleep(LOOK)

    def _hear(self) -> None:
        while self._heard < len(self._requests):
            number, _ = self._requests[self._heard]
            self._heard += 1
            is_first = number not in [earlier for earlier, _ in self._requests[: self._heard - 1]]
            jobs = [running.job for running in self._running()]
            fields: dict[str, object] = {"job": ",".join(jobs) or None}
            fields["signal"] = signal.Signals(number).name
            if is_first:
                fields["grace"] = self._seconds if number == signal.SIGTERM else None
            else:
                fields["reason"] = "asked again"
            log.warning("stopping", **fields)

    def _look_at(self, running: RunningJob, now: float) -> None:
        interrupted = self._interrupted.get(running.execution)
        since = self._first(signal.SIGTERM)
        if self._is_impatient():
            self._end(running, "asked twice by SIGINT")
        elif interrupted is not None:
            if now >= interrupted + LAST_WORDS:
                self._end(running, f"it did not end within {LAST_WORDS:g} s of being told")
        elif since is not None and now >= since + self._seconds:
            reason = f"it did not end within {self._seconds:g} s"
            log.warning("told", job=running.job, reason=reason)
            self._tell(running)
            self._interrupted[running.execution] = now

    def _end(self, running: RunningJob, reason: str) -> None:
        self.killed.add(running.pid)
        log.warning("killed", job=running.job, pid=running.pid, reason=reason)
        self._kill(running.pid)

    def _first(self, number: int) -> float | None:
        return next((at for asked, at in self._requests if asked == number), None)

    def _is_impatient(self) -> bool:
        interrupts = [at for number, at in self._requests if number == signal.SIGINT]
        return bool(interrupts) and interrupts[-1] - interrupts[0] >= SAME_REQUEST
