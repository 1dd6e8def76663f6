"""The step by which a child ends its last job and takes the next."""

from __future__ import annotations

import os

import pytest
from redis import Redis
from rq import Queue

from clock import keys
from clock.connection import rq_keys
from clock.jobs.rq_versions import KEEPS
from clock.ledger.pauses import Pause
from clock.ledger.queue_pauses import pause_queue, resume_queue
from clock.worker.step import Line, Reply, TakeResult, new_identifier

OWNER = "worker.0123"


@pytest.fixture
def queue(redis: Redis) -> Queue:
    return Queue("default", connection=redis)


@pytest.fixture
def line(redis: Redis) -> Line:
    return Line(
        redis, name="worker", owner=OWNER, text="host 1", keeps=KEEPS, job_prefix=rq_keys.JOB
    )


def take(line: Line, queue: Queue, identifier: str, *, again: bool = False) -> Reply:
    return line.step(identifier, None, [queue], take=True, again=again)


def test_a_step_whose_reply_was_lost_is_done_once(queue: Queue, line: Line) -> None:
    jobs = [queue.enqueue("work.x") for _ in range(2)]
    identifier = new_identifier()
    first = take(line, queue, identifier)
    line.close()
    again = take(line, queue, identifier, again=True)
    assert (again.job, again.execution) == (first.job, first.execution) == (jobs[0].id, identifier)
    assert again.fields == first.fields
    assert queue.job_ids == [jobs[1].id]


def test_a_job_that_was_taken_over_before_the_reply_came_is_not_run(
    redis: Redis, queue: Queue, line: Line
) -> None:
    job = queue.enqueue("work.x")
    identifier = new_identifier()
    assert take(line, queue, identifier).job == job.id
    redis.delete(f"rq:execution:{job.id}:{identifier}")
    again = take(line, queue, identifier, again=True)
    assert (again.taken, again.job) == (TakeResult.MORE, "")


def test_a_late_reply_shows_that_the_child_lives(redis: Redis, queue: Queue, line: Line) -> None:
    queue.enqueue("work.x")
    identifier = new_identifier()
    take(line, queue, identifier)
    redis.delete(keys.heartbeat(OWNER))
    take(line, queue, identifier, again=True)
    assert redis.ttl(keys.heartbeat(OWNER)) > 0


def test_no_job_is_taken_from_a_paused_queue_until_it_is_resumed(
    redis: Redis, queue: Queue, line: Line
) -> None:
    other = Queue("other", connection=redis)
    paused, taken = queue.enqueue("work.x"), other.enqueue("work.x")

    def next_job() -> Reply:
        return line.step(new_identifier(), None, [queue, other], take=True, again=False)

    pause_queue(redis, "default", Pause(until=None, reason="r", by="ann", since=5))
    assert next_job().job == taken.id
    assert next_job().taken is TakeResult.EMPTY
    redis.set(rq_keys.SUSPENDED, 1)
    assert next_job().taken is TakeResult.SUSPENDED
    redis.delete(rq_keys.SUSPENDED)
    assert resume_queue(redis, "default") == Pause(until=None, reason="r", by="ann", since=5)
    assert next_job().job == paused.id


@pytest.mark.parametrize("queues", [["default"], ["default", "other"]])
def test_an_idle_child_is_told_when_a_queue_is_resumed(
    redis: Redis, line: Line, queues: list[str]
) -> None:
    pause_queue(redis, "default", Pause(until=None, reason="", by="ann", since=5))
    listed = [Queue(name, connection=redis) for name in queues]
    line.step(new_identifier(), None, listed, take=True, again=False)
    reading, writing = os.pipe()
    # What is put on a paused queue wakes nobody.
    redis.rpush("rq:queue:default", "x")
    assert not line.wait(reading, 0.05)
    resume_queue(redis, "default")
    assert line.wait(reading, 5)
    os.close(reading)
    os.close(writing)


def test_pauses_that_cannot_be_read_pause_nothing(redis: Redis, queue: Queue, line: Line) -> None:
    job = queue.enqueue("work.x")
    redis.set(rq_keys.PAUSED, "x")
    assert take(line, queue, new_identifier()).job == job.id


def test_a_worker_whose_acl_is_of_0_1_0_takes_jobs(redis: Redis, queue: Queue) -> None:
    names = ["queue:*", "job:*", "execution*", "wip:*", "worker:*", "suspended"]
    redis.acl_setuser(
        "old",
        enabled=True,
        nopass=True,
        commands=["+@all"],
        keys=["clock:*", *(f"rq:{name}" for name in names)],
    )
    server = redis.connection_pool.connection_kwargs
    with Redis(port=server["port"], username="old", password="x") as client:
        line = Line(
            client, name="worker", owner=OWNER, text="h", keeps=KEEPS, job_prefix=rq_keys.JOB
        )
        job = queue.enqueue("work.x")
        assert take(line, queue, new_identifier()).job == job.id
        assert take(line, queue, new_identifier()).taken is TakeResult.EMPTY
        line.close()
