"""What an application and the clock do with jobs, under a prefix that RQ was told by the variable
``RQ_KEY_PREFIX``: ``python -m tests.live.prefixed URL SCHEDULE``.

A process of its own, because RQ reads the variable once. Every step asserts what it did.
"""

from __future__ import annotations

import sys
import time

from redis import Redis
from rq import Queue
from rq.job import Job, JobStatus

from clock.connection import rq_keys
from clock.decision import Kind
from clock.jobs import Handle, Status, enqueue
from clock.jobs.lease import Leases
from clock.jobs.requeue import Deleted, delete, requeue
from clock.ledger.backfill import Backfill, Standing
from clock.ledger.ledger import Claim, Ledger
from clock.ledger.manual import run_now
from clock.schedule.event import Event
from clock.schedule.load import load
from tests.jobs.working import work_off

SAY = "tests.jobs.working.say"


def main(url: str, schedule: str) -> None:
    """Do it all, on the server at ``url``; ``schedule`` is the file of an event ``e``, which skips
    nothing and replaces, on the queue ``io``.
    """
    assert not rq_keys.PREFIX.startswith("rq:")
    event = load(schedule).events["e"]
    with Redis.from_url(url) as redis:
        for step in (_unique, _failed, _held):
            step(redis)
            Queue(connection=redis).empty()  # type: ignore[no-untyped-call]
        _overlap(redis, event)
        _manually(redis, event)


def _unique(redis: Redis) -> None:
    first = enqueue(SAY, unique="unfinished", connection=redis)
    assert enqueue(SAY, unique="unfinished", connection=redis) == first
    work_off(redis)
    assert first.status() is Status.FINISHED
    assert first.result(5) == "done"
    assert enqueue(SAY, unique="unfinished", connection=redis).is_new


def _failed(redis: Redis) -> None:
    job = Queue(connection=redis).enqueue("tests.jobs.working.fail")
    work_off(redis)
    assert requeue(redis, [job.id], "default", time.time()) == [job.id]
    work_off(redis)
    assert Handle(job.id, redis).status() is Status.FAILED
    assert delete(redis, job.id) is Deleted.GONE
    assert list(redis.scan_iter(f"*{job.id}*")) == []


def _held(redis: Redis) -> None:
    leases = Leases(connection=redis, app="clock", worker="w", limits={SAY: 1})
    first, second = (Queue(connection=redis).enqueue(SAY) for _ in range(2))
    redis.delete(rq_keys.QUEUE + "default")
    assert leases.take(first)
    assert not leases.take(second)
    assert second.id in Queue(connection=redis).scheduled_job_registry
    assert leases.release(first) == 1
    assert Queue(connection=redis).job_ids == [second.id]


def _overlap(redis: Redis, event: Event) -> None:
    """A scheduled job, whose queue's name is cut from its key, is taken back."""
    ledger, now = Ledger(redis, app="prefixed", token="t"), int(time.time())
    ledger.enrol([event], now - 10)
    assert ledger.claim([Claim(event, now - 5)], now - 5)[0].kind is Kind.FIRED
    job = Job.fetch(Queue("io", connection=redis).job_ids[0], connection=redis)
    job.set_status(JobStatus.SCHEDULED)
    registry = Queue("io", connection=redis).scheduled_job_registry
    redis.zadd(registry.key, {job.id: now + 60})
    assert ledger.claim([Claim(event, now)], now)[0].kind is Kind.FIRED
    assert len(registry) == 0
    assert not Job.exists(job.id, connection=redis)


def _manually(redis: Redis, event: Event) -> None:
    queue = Queue("io", connection=redis)
    before = len(queue)
    assert run_now(redis, "prefixed", event.name, time.time()) == queue.job_ids[-1]
    past = int(time.time()) - 7
    backfill = Backfill.of_event(redis, app="prefixed", event=event, serializer="pickle")
    assert backfill.push(past, time.time()) is Standing.OPEN
    assert len(queue) == before + 2


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
