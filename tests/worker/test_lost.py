"""Jobs that are queued and on no queue."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis
from rq import Callback, Queue
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.utils import as_text

from clock import keys
from clock.worker.lost import AFTER, REMEMBERED, LostJob, put_back_lost
from clock.worker.reaper import Reaper
from clock.worker.recovery import DEATHS

ENOUGH = 5
"""Looks that walk over all keys of a test."""


def look(redis: Redis, *, after: float = AFTER) -> list[LostJob]:
    return [
        lost
        for _ in range(ENOUGH)
        for lost in put_back_lost(redis, job_prefix="rq:job:", most_deaths=DEATHS, after=after)
    ]


def wait(redis: Redis, seconds: float = AFTER) -> None:
    """Let so much time pass for the jobs that were found so far."""
    for job, text in redis.hgetall(keys.lost()).items():
        since, _, digest = as_text(text).partition(" ")
        redis.hset(keys.lost(), job, f"{int(since) - int(seconds)} {digest}")


def lose(redis: Redis, **options: Any) -> Job:
    """A job as RQ's worker leaves it that is killed once it took it from one of several queues."""
    queues = [Queue(name, connection=redis) for name in ("high", "default")]
    job = queues[1].enqueue("work.x", **options)
    assert Queue.dequeue_any(queues, None, connection=redis) is not None
    return job


def waiting(redis: Redis, name: str = "default") -> list[str]:
    return Queue(name, connection=redis).job_ids


def test_a_job_on_no_queue_is_put_back_once_it_was_so_for_a_while(redis: Redis) -> None:
    job = lose(redis)
    before = redis.hgetall(job.key)
    assert look(redis) == []
    wait(redis, AFTER - 5)
    assert look(redis) == []
    assert waiting(redis) == []
    wait(redis, 5)
    assert look(redis) == [LostJob(queue="default", job=job.id, deaths=1)]
    assert waiting(redis) == [job.id]
    assert redis.hgetall(job.key) == before | {b"clock_deaths": b"1"}
    wait(redis)
    assert look(redis) == []
    assert waiting(redis) == [job.id]


def test_a_hash_without_an_entry_is_one_too_and_goes_to_the_front_where_it_should(
    redis: Redis,
) -> None:
    fields: dict[Any, Any] = {
        "data": "x",
        "origin": "default",
        "status": "queued",
        "enqueue_at_front": "1",
    }
    redis.hset("rq:job:half", mapping=fields)
    Queue("default", connection=redis).enqueue("work.x", job_id="other")
    look(redis)
    wait(redis)
    assert [lost.job for lost in look(redis)] == ["half"]
    assert waiting(redis) == ["half", "other"]


def _on_another_queue(redis: Redis, job: Job) -> None:
    redis.sadd("rq:queues", "rq:queue:elsewhere")
    redis.rpush("rq:queue:elsewhere", job.id)


def _executed(redis: Redis, job: Job) -> None:
    with redis.pipeline() as pipeline:
        Execution.create(job, 90, pipeline)
        pipeline.execute()


HOLDERS: dict[str, Callable[[Redis, Job], Any]] = {
    "its queue": lambda redis, job: redis.rpush("rq:queue:default", job.id),
    "another queue": _on_another_queue,
    "beside its only queue": lambda redis, job: redis.rpush(
        "rq:queue:default:intermediate", job.id
    ),
    "an execution": _executed,
    "delayed": lambda redis, job: redis.zadd("rq:scheduled:default", {job.id: 1}),
    "deferred": lambda redis, job: redis.zadd("rq:deferred:default", {job.id: 1}),
    "ready": lambda redis, job: redis.zadd("rq:ready:default", {job.id: 1}),
    "a rate limit": lambda redis, job: (
        redis.hset(job.key, "rate_limit_key", "tight"),
        redis.zadd("rq:rl:tight:rate_limited", {job.id: 1}),
    ),
    "started": lambda redis, job: job.set_status(JobStatus.STARTED),
    "ended": lambda redis, job: job.set_status(JobStatus.FINISHED),
    "enqueued again": lambda redis, job: redis.hset(job.key, "enqueued_at", "2026-11-21T03:00:00Z"),
    "deleted": lambda redis, job: redis.delete(job.key),
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_one_that_somebody_has_in_the_last_moment_is_left_alone(redis: Redis, holder: str) -> None:
    job = lose(redis)
    look(redis)
    assert redis.hkeys(keys.lost()) == [job.id.encode()]
    wait(redis)
    HOLDERS[holder](redis, job)
    queued = waiting(redis)
    assert look(redis) == []
    assert waiting(redis) == queued


def test_the_time_begins_anew_where_a_job_was_elsewhere_in_between(redis: Redis) -> None:
    job = lose(redis)
    look(redis)
    wait(redis)
    redis.rpush("rq:queue:default", job.id)
    look(redis)
    redis.delete("rq:queue:default")
    assert look(redis) == []
    assert redis.hexists(keys.lost(), job.id)


def test_the_time_begins_anew_where_nobody_looked_for_a_while(redis: Redis) -> None:
    lose(redis)
    look(redis)
    assert 0 < redis.ttl(keys.lost()) <= keys.LOST_TTL < AFTER


def test_one_whose_turn_has_not_come_is_found_when_it_has(redis: Redis) -> None:
    queue = Queue("default", connection=redis)
    first = queue.enqueue("work.x")
    lost = queue.enqueue("work.x")
    queue.remove(lost)
    look(redis)
    assert redis.hkeys(keys.lost()) == []
    queue.enqueue("work.x")
    queue.remove(first)
    first.delete()
    look(redis)
    assert redis.hkeys(keys.lost()) == [lost.id.encode()]


def test_of_a_lost_queue_some_at_a_time_are_remembered_and_all_come_back(redis: Redis) -> None:
    queue = Queue("default", connection=redis)
    data = [Queue.prepare_data("work.x", job_id=f"j{number}") for number in range(700)]
    queue.enqueue_many(data)
    redis.delete(queue.key)
    look(redis)
    assert redis.hlen(keys.lost()) == REMEMBERED
    found: set[str] = set()
    while len(found) < len(data):
        wait(redis)
        batch = {lost.job for lost in look(redis)}
        assert batch == set(waiting(redis))
        assert not batch & found
        found |= batch
        # They run; before, those that were enqueued after them have not had their turn.
        redis.delete(queue.key, *(f"rq:job:{job}" for job in batch))


def test_a_long_queue_is_searched_seldom(redis: Redis) -> None:
    # All at the front: each of them was enqueued before the first one.
    queue = Queue("default", connection=redis)
    data = [
        Queue.prepare_data("work.x", job_id=f"j{number}", at_front=True) for number in range(900)
    ]
    queue.enqueue_many(data)
    redis.lpush(queue.key, *(f"gone-{number}" for number in range(60_000)))
    redis.lpush(queue.key, "j899")
    redis.config_resetstat()
    [*put_back_lost(redis, job_prefix="rq:job:", most_deaths=DEATHS)]
    searches = redis.info("commandstats").get("cmdstat_lpos", {"calls": 0})["calls"]
    assert 1 <= searches <= 3


def test_one_that_is_lost_again_and_again_fails_and_says_so(redis: Redis) -> None:
    job = lose(redis, on_failure=Callback("work.mourn"))
    reaper = Reaper(redis, [Queue("other", connection=redis)], app="app")
    for deaths in range(1, DEATHS):
        look(redis)
        wait(redis)
        reaper.look(time.time())
        assert redis.hget(job.key, keys.DEATHS) == str(deaths).encode()
        redis.delete("rq:queue:default")
    look(redis)
    wait(redis)
    reaper.look(time.time())
    assert job.get_status() == JobStatus.FAILED
    assert redis.zrange("rq:failed:default", 0, -1) == [job.id.encode()]
    (called,) = waiting(redis)
    assert called.startswith("failure-callbacks-")
    result = job.latest_result()
    assert result is not None
    assert "given up" in (result.exc_string or "")
    assert redis.hlen(keys.lost()) == 0


def test_keys_of_another_type_hold_nobody_up(redis: Redis) -> None:
    redis.set("rq:job:text", "x")
    redis.sadd("rq:queues", "rq:queue:broken")
    redis.set("rq:queue:broken", "x")
    broken = lose(redis)
    redis.hset(broken.key, "origin", "broken")
    job = lose(redis)
    look(redis)
    wait(redis)
    assert [lost.job for lost in look(redis)] == [job.id]
