"""What RQ received: every job that came to a queue, read at the server and taken away."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry
from rq.job import Job
from rq.utils import as_text

from benchmarks.faults.checker import earliness
from clock.ledger.job import job_prefix
from clock.schedule.event import Event

PAUSE = 0.1
"""Seconds between two looks."""

Received = Mapping[str, Counter[int]]
"""Event -> instant (UTC seconds since 1970) -> how often its job came to a queue."""


class Drain:
    """Stands in for the workers: takes every job off its queue, and keeps what it stood for."""

    def __init__(self, url: str, app: str, events: Sequence[Event]) -> None:
        self.received: dict[str, Counter[int]] = {event.name: Counter() for event in events}
        self.flaws: list[str] = []
        """Jobs that are not as they should be, one sentence each."""
        self.early: list[str] = []
        """Jobs that were enqueued before their time, one sentence each."""
        self.pause = threading.Lock()
        """While somebody else has it, nothing is taken."""
        self._connection = Redis.from_url(
            url, socket_timeout=10, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
        )
        self._events = {job_prefix(app, event.name): event for event in events}
        self._queues = sorted({event.job.queue for event in events})
        self._rounds = dict.fromkeys(self._queues, 0)
        self._read: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Drain until stopped, in a thread; a server that is away is asked again."""
        self._thread.start()

    def stop(self) -> None:
        """Drain what is left on the server, which must be there, and end."""
        self._stop.set()
        self._thread.join()
        self.take_all()
        self.flaws += [
            f"{as_text(key)} has a hash and was on no queue"
            for key in self._connection.scan_iter("rq:job:*", count=1000)
        ]
        self._connection.close()

    def take_all(self) -> None:
        """Take what is on the server, which must be there, while ``pause`` is held.

        Raises RedisError.
        """
        for queue in self._queues:
            # Once for what a failure left behind, once for what came after it.
            self._take(queue)
            self._take(queue)

    @property
    def keys(self) -> list[str]:
        """The lists that the queues are."""
        return [f"rq:queue:{queue}" for queue in self._queues]

    def lost(self, ids: Iterable[bytes]) -> None:
        """Jobs that waited were lost with the server's data. They had come all the same."""
        for identifier in ids:
            self._count(as_text(identifier))

    def turn_over(self) -> Received:
        """What was received since the last call, while ``pause`` is held."""
        received, self.received = self.received, {name: Counter() for name in self.received}
        return received

    def _run(self) -> None:
        while not self._stop.wait(PAUSE):
            for queue in self._queues:
                with suppress(RedisError, OSError), self.pause:
                    self._take(queue)

    def _take(self, queue: str) -> None:
        """Move the queue aside, read it, delete it. Whatever fails is done again at the next call,
        and nothing is read twice.
        """
        aside = f"faults:aside:{queue}:{self._rounds[queue]}"
        if aside not in self._read:
            if not self._connection.exists(aside):
                try:
                    self._connection.renamenx(f"rq:queue:{queue}", aside)
                except ResponseError as error:
                    if "no such key" in str(error):
                        return
                    raise
            self._note(queue, aside)
            self._read.add(aside)
        ids = self._ids(aside)
        with self._connection.pipeline() as pipeline:
            for identifier in ids:
                pipeline.unlink(Job.key_for(identifier))
            pipeline.unlink(aside)
            pipeline.execute()
        self._read.discard(aside)
        self._rounds[queue] += 1

    def _ids(self, aside: str) -> list[str]:
        return [as_text(identifier) for identifier in self._connection.lrange(aside, 0, -1)]

    def _note(self, queue: str, aside: str) -> None:
        ids = self._ids(aside)
        with self._connection.pipeline(transaction=False) as pipeline:
            for identifier in ids:
                pipeline.hgetall(Job.key_for(identifier))
            hashes = pipeline.execute()
        for identifier, fields in zip(ids, hashes, strict=True):
            counted = self._count(identifier)
            if counted is not None:
                self._check(identifier, queue, *counted, fields)

    def _count(self, identifier: str) -> tuple[Event, datetime] | None:
        """Count a job; what it stands for."""
        prefix, _, instant = identifier.rpartition("-")
        event = self._events.get(f"{prefix}-")
        if event is None:
            self.flaws.append(f"{identifier} is of no event")
            return None
        at = datetime.strptime(instant, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        self.received[event.name][int(at.timestamp())] += 1
        # By this process's clock too, whatever the job says.
        self._note_early(identifier, at, datetime.now(UTC))
        return event, at

    def _note_early(self, identifier: str, at: datetime, enqueued: datetime) -> None:
        if complaint := earliness(int(at.timestamp()), enqueued.timestamp()):
            self.early.append(f"{identifier} {complaint}")

    def _check(
        self, identifier: str, queue: str, event: Event, at: datetime, fields: dict[bytes, bytes]
    ) -> None:
        if not fields:
            # What expires leaves its id on the queue, and a worker passes over it.
            if event.job.expires is None:
                self.flaws.append(f"{identifier} is on a queue and has no hash")
            return
        job = Job(identifier, connection=self._connection)
        job.restore(fields)
        if job.enqueued_at is not None:
            self._note_early(identifier, at, job.enqueued_at)
        says = job.meta["clock"]
        if (
            (queue, job.origin) != (event.job.queue, event.job.queue)
            or says["event"] != event.name
            or says["scheduled_at"] != f"{at:%Y-%m-%dT%H:%M:%SZ}"
        ):
            self.flaws.append(f"{identifier} on {queue} says {job.origin} {says}")
