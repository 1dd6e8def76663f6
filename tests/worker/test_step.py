"""The step by which a child ends its last job and takes the next."""

from __future__ import annotations

import pytest
from redis import Redis
from rq import Queue

from clock import keys
from clock.connection import rq_keys
from clock.jobs.rq_versions import KEEPS
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
