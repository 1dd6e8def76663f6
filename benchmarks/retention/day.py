"""A day that takes minutes: jobs are claimed, run in this process, and grow old."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files

from redis import Redis
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.utils import as_text
from rq.worker import BaseWorker

from clock.ledger.ledger import Claim, Ledger
from clock.schedule.event import Event
from clock.worker import Worker

STEP = 60
"""Simulated seconds that pass at once."""

UPKEEP = 600
"""Simulated seconds between two times that a worker cleans RQ's registries, as RQ does it."""

SCHEDULE = """\
from clock import every, timezone

timezone("UTC")
every("2 seconds", "math.floor", name="good", args=[1.5])
every("2 seconds", "math.sqrt", name="bad", args=[-1], anchor="2001-01-01T00:00:01Z")
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What the server held after ``seconds`` of simulated time; ``memory`` is in bytes."""

    seconds: int
    jobs: int
    keys: int
    memory: int


class InProcess(Worker):
    """The worker of this package without a process for each job; all else is as it is."""

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run a job here."""
        self._is_horse = True
        self.perform_job(job, queue, self.prepare_execution(job))
        self._hand = None


WORKERS: dict[str, Callable[..., BaseWorker]] = {
    "clock.worker.Worker": InProcess,
    "rq": SimpleWorker,
}


class Day:
    """Jobs of ``events`` on an empty server, claimed at their times and run by one worker."""

    def __init__(
        self, connection: Redis, events: Sequence[Event], *, worker: str = "clock.worker.Worker"
    ) -> None:
        self._redis = connection
        self._events = events
        self._ledger = Ledger(connection, app="clock", token="day")
        queues = sorted({event.job.queue for event in events})
        self._worker = WORKERS[worker](
            [Queue(name, connection=connection) for name in queues], connection=connection
        )
        # A traceback for every second job is what is kept, not what is to be read.
        self._worker.log = logging.Logger("silent", logging.CRITICAL + 1)
        self._age = connection.register_script(
            files("benchmarks.retention").joinpath("age.lua").read_text(encoding="utf-8")
        )
        self._jobs = 0

    def pass_by(self, seconds: int, sample_every: int) -> Iterator[Sample]:
        """Let so many seconds pass; what the server holds every ``sample_every`` seconds."""
        # Nothing depends on the date; the day ends about now.
        begin = int(time.time()) - seconds
        self._ledger.enrol(self._events, begin)
        self._worker.register_birth()  # type: ignore[no-untyped-call]
        for passed in range(STEP, seconds + 1, STEP):
            self._claim(begin + passed - STEP, begin + passed)
            self._work_off()
            self._age(args=[STEP * 1000])
            self._worker.heartbeat()
            if passed % UPKEEP == 0:
                self._worker.clean_registries()  # type: ignore[no-untyped-call]
            if passed % sample_every == 0:
                yield self._sample(passed)

    def _claim(self, after: int, until: int) -> None:
        due = sorted(
            (scheduled, event.name, event)
            for event in self._events
            for scheduled in _occurrences(event, after, until)
        )
        claims = [Claim(event, scheduled) for scheduled, _, event in due]
        self._ledger.claim(claims, float(until))

    def _work_off(self) -> None:
        while (taken := self._worker.dequeue_job_and_maintain_ttl(None)) is not None:
            self._worker.execute_job(*taken)
            self._jobs += 1

    def _sample(self, passed: int) -> Sample:
        return Sample(
            seconds=passed,
            jobs=self._jobs,
            keys=self._redis.dbsize(),
            memory=int(self._redis.info("memory")["used_memory"]),
        )


def without_end(connection: Redis) -> list[str]:
    """The keys that never expire by themselves."""
    names = list(connection.scan_iter(count=1000))
    with connection.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.ttl(name)
        ttls = pipeline.execute()
    return sorted(as_text(name) for name, ttl in zip(names, ttls, strict=True) if ttl == -1)


def _occurrences(event: Event, after: int, until: int) -> Iterator[int]:
    at = event.recurrence.next(after)
    while at is not None and at <= until:
        yield at
        at = event.recurrence.next(at)
