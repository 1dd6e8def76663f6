"""Jobs that others enqueue with RQ 3's rate limit: their places are neither doubled nor lost."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from redis import Redis
from rq import Queue, RateLimit
from rq.job import Job
from rq.rate_limit import RateLimitRegistry
from rq.registry import ReadyJobRegistry

from clock import keys
from clock.jobs import Handle, Status
from clock.jobs.lease import Leases
from clock.jobs.requeue import Deleted, delete, requeue
from clock.jobs.rq_versions import clean_waiting
from clock.worker.abandoned import find_abandoned
from clock.worker.recovery import recover
from tests.jobs.working import start, work_off

SAY = "tests.jobs.working.say"
FAIL = "tests.jobs.working.fail"


def _enqueue(redis: Redis, name: str, task: str = SAY, **more: Any) -> Job:
    """A job of which one may be on its queue or run at once."""
    queue = Queue(connection=redis)
    return queue.enqueue(task, job_id=name, rate_limit=RateLimit("shop", 1), **more)


def _queued(redis: Redis) -> list[str]:
    return Queue(connection=redis).get_job_ids()


def _places(redis: Redis) -> tuple[list[str], list[str]]:
    """The jobs that have a place, and those that wait for one."""
    registry = RateLimitRegistry("shop", redis)
    return registry.get_allowed_job_ids(), registry.get_rate_limited_job_ids()


def _failed(redis: Redis, *names: str) -> None:
    for name in names:
        _enqueue(redis, name, FAIL)
    work_off(redis)


def test_a_job_that_waits_for_its_place_waits(redis: Redis) -> None:
    _enqueue(redis, "a")
    _enqueue(redis, "b")
    assert Handle("b", redis).status() is Status.WAITING
    assert _places(redis) == (["a"], ["b"])


def test_the_place_of_a_deleted_job_is_the_next_one_s(redis: Redis) -> None:
    _enqueue(redis, "a")
    _enqueue(redis, "b")
    assert delete(redis, "a") is Deleted.GONE
    assert _queued(redis) == ["b"]
    assert _places(redis) == (["b"], [])


def test_a_job_deleted_while_it_waits_for_a_place_leaves_nothing(redis: Redis) -> None:
    _enqueue(redis, "a")
    _enqueue(redis, "b")
    assert delete(redis, "b") is Deleted.GONE
    assert _places(redis) == (["a"], [])
    assert not redis.exists(Job.key_for("b"))


def test_a_deleted_job_that_runs_all_the_same_keeps_its_place(redis: Redis) -> None:
    job = _enqueue(redis, "a")
    _enqueue(redis, "b")
    start(redis, "a")
    job.cancel()
    assert delete(redis, "a") is Deleted.GONE
    assert _places(redis) == (["a"], ["b"])


def test_a_job_ready_to_be_put_on_its_queue_is_deleted_with_that(redis: Redis) -> None:
    queue = Queue(connection=redis)
    first = queue.enqueue(SAY, job_id="first")
    then = queue.enqueue(SAY, job_id="then", depends_on=first)
    first.set_status(then.get_status().__class__.FINISHED)
    queue.move_dependents_to_ready(first)
    assert Handle("then", redis).status() is Status.WAITING
    assert delete(redis, "then") is Deleted.GONE
    assert ReadyJobRegistry(queue=queue).count == 0


def test_a_job_put_back_waits_for_a_place_as_rq_lets_it(redis: Redis) -> None:
    _failed(redis, "ours", "theirs")
    _enqueue(redis, "other")
    assert requeue(redis, ["ours"], "default", time.time()) == ["ours"]
    Job.fetch("theirs", connection=redis).requeue()
    assert _queued(redis) == ["other"]
    assert _places(redis) == (["other"], ["ours", "theirs"])
    ours, theirs = (redis.hgetall(Job.key_for(name)) for name in ("ours", "theirs"))
    assert ours[b"status"] == b"rate_limited"
    assert {name for name in ours if ours[name] != theirs[name]} <= {
        b"created_at", b"enqueued_at", b"last_heartbeat",
    }  # fmt: skip


def test_a_job_put_back_takes_the_place_that_is_free(redis: Redis) -> None:
    _failed(redis, "a", "b")
    assert requeue(redis, ["a", "b"], "default", time.time()) == ["a", "b"]
    assert _queued(redis) == ["a"]
    assert _places(redis) == (["a"], ["b"])
    work_off(redis)
    assert _places(redis) == ([], [])


@pytest.mark.parametrize("is_given_away", [False, True])
def test_a_held_job_comes_back_with_its_place_or_waits_for_one(
    is_given_away: bool, redis: Redis
) -> None:
    leases = Leases(connection=redis, app="clock", worker="w", limits={SAY: 1})
    running = Queue(connection=redis).enqueue(SAY, job_id="running")
    held = _enqueue(redis, "held")
    redis.delete("rq:queue:default")
    assert leases.take(running)
    assert not leases.take(held)
    if is_given_away:
        RateLimitRegistry("shop", redis).cleanup()
        _enqueue(redis, "other")
    assert leases.release(running) == 1
    assert _queued(redis) == (["other"] if is_given_away else ["held"])
    assert _places(redis) == ((["other"], ["held"]) if is_given_away else (["held"], []))


def test_the_place_of_a_job_whose_worker_died_is_the_next_one_s(redis: Redis) -> None:
    job = _enqueue(redis, "a")
    _enqueue(redis, "b")
    execution = start(redis, "a", worker="w")
    redis.hset(execution.key, keys.OWNER, "w.token")
    (abandoned,) = find_abandoned(redis, ["default"], time.time())
    recover(abandoned, redis, queue=Queue(connection=redis), app="a", now=datetime.now(UTC))
    assert job.is_failed
    assert _queued(redis) == ["b"]
    assert not redis.exists(execution.worker_executions_key)


def test_upkeep_lets_go_what_a_dead_worker_left_ready_or_with_a_place(redis: Redis) -> None:
    queue = Queue(connection=redis)
    first = queue.enqueue(SAY, job_id="first")
    queue.enqueue(SAY, job_id="then", depends_on=first)
    _enqueue(redis, "a")
    _enqueue(redis, "b")
    work = Job.fetch("first", connection=redis)
    work.set_status(work.get_status().__class__.FINISHED)
    queue.move_dependents_to_ready(work)
    redis.delete(Job.key_for("a"))
    clean_waiting(queue)
    assert _queued(redis) == ["first", "a", "then", "b"]
