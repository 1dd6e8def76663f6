"""What workers who follow the sentinels received: every job, and from which primary."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from redis import Redis
from redis.exceptions import RedisError
from rq.utils import as_text, str_to_date

from benchmarks.faults.checker import earliness
from benchmarks.faults.lineage import Lineage, Position, position, replication
from clock.ledger.job import job_prefix
from clock.schedule.event import Event

PAUSE = 0.1
"""Seconds between two looks."""

TAKE = """
local info = redis.call('INFO', 'replication')
if redis.call('EXISTS', KEYS[2]) == 0 then
  if redis.call('EXISTS', KEYS[1]) == 0 then return { info, {} } end
  redis.call('RENAME', KEYS[1], KEYS[2])
end
local jobs = {}
for _, id in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
  jobs[#jobs + 1] = { id, redis.call('HGET', 'rq:job:' .. id, 'enqueued_at') }
end
return { info, jobs }
"""

DROP = """
for _, id in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do redis.call('DEL', 'rq:job:' .. id) end
return redis.call('DEL', KEYS[1])
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """A job that was taken off a queue: where, and when it was enqueued, as its hash says."""

    position: Position
    enqueued_at: str


class Intake:
    """Takes every job off its queue. What it takes is set aside and read in one step of the
    server, so that its place in the primary's writes is known.
    """

    def __init__(
        self, connection: Redis, app: str, events: Sequence[Event], lineage: Lineage
    ) -> None:
        self.taken: dict[str, dict[int, list[Taken]]] = {event.name: {} for event in events}
        """Event -> instant (UTC seconds since 1970) -> each time its job was taken."""
        self.flaws: list[str] = []
        """Jobs that are not as they should be, one sentence each."""
        self.early: list[str] = []
        """Jobs that were enqueued before their time, one sentence each."""
        self._connection = connection
        self._lineage = lineage
        self._events = {job_prefix(app, event.name): event for event in events}
        self._queues = sorted({event.job.queue for event in events})
        self._rounds = dict.fromkeys(self._queues, 0)
        self._positions: dict[str, Position] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Take until stopped, in a thread; a primary that is away is asked again."""
        self._thread.start()

    def stop(self) -> None:
        """Take what is left on the primary, which must be there, and end."""
        self._stop.set()
        self._thread.join()
        for queue in self._queues:
            self._take(queue)
            self._take(queue)
        for key in self._connection.scan_iter("faults:aside:*", count=1000):
            self._finish(as_text(key))
        self.flaws += [
            f"{as_text(key)} has a hash and was on no queue"
            for key in self._connection.scan_iter("rq:job:*", count=1000)
        ]
        self._connection.close()

    def _run(self) -> None:
        while not self._stop.wait(PAUSE):
            for queue in self._queues:
                with suppress(RedisError, OSError):
                    self._take(queue)

    def _take(self, queue: str) -> None:
        aside = f"faults:aside:{queue}:{self._rounds[queue]}"
        if self._read(f"rq:queue:{queue}", aside):
            # Whatever becomes of this key now, its jobs are taken no second time.
            self._rounds[queue] += 1
            self._connection.eval(DROP, 1, aside)

    def _finish(self, aside: str) -> None:
        """What is left of a key set aside: dropped in vain, or read where it was forgotten."""
        taken_at = self._positions.get(aside)
        if taken_at is None or not self._lineage.has(taken_at):
            self._read(aside, aside)
        self._connection.eval(DROP, 1, aside)

    def _read(self, queue: str, aside: str) -> bool:
        info, jobs = self._connection.eval(TAKE, 2, queue, aside)
        if jobs:
            self._positions[aside] = position(replication(info))
            self._note(jobs, self._positions[aside])
        return bool(jobs)

    def _note(self, jobs: Iterable[tuple[bytes, bytes | None]], at: Position) -> None:
        for identifier, enqueued_at in jobs:
            prefix, _, instant = as_text(identifier).rpartition("-")
            event = self._events.get(f"{prefix}-")
            if event is None:
                self.flaws.append(f"{as_text(identifier)} is of no event")
                continue
            if enqueued_at is None and event.job.expires is None:
                self.flaws.append(f"{as_text(identifier)} is on a queue and has no hash")
            scheduled = datetime.strptime(instant, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            if enqueued_at is not None:
                enqueued = str_to_date(enqueued_at).timestamp()
                if complaint := earliness(int(scheduled.timestamp()), enqueued):
                    self.early.append(f"{as_text(identifier)} {complaint}")
            taken = Taken(at, as_text(enqueued_at or b""))
            self.taken[event.name].setdefault(int(scheduled.timestamp()), []).append(taken)
