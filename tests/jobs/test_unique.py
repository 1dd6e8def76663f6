"""Unique: one of two equal jobs is enqueued, for as long as the kind of uniqueness says."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from redis import Redis
from rq import Queue, Repeat
from rq.job import Job, JobStatus

from clock.jobs import Handle, Status, enqueue
from tests.jobs.working import start, work_off

SAY = "tests.jobs.working.say"
BOTH = pytest.mark.parametrize("kind", ["waiting", "unfinished"])


def _enqueue(redis: Redis, kind: Any, task: str = SAY, **more: Any) -> Handle:
    return enqueue(task, unique=kind, connection=redis, **more)


@pytest.mark.parametrize("kind", ["waiting", "unfinished", "10m"])
def test_the_second_of_two_equal_jobs_is_the_first(kind: str, redis: Redis) -> None:
    first = _enqueue(redis, kind, args=[1], kwargs={"a": 1, "b": 2})
    second = _enqueue(redis, kind, args=[1], kwargs={"b": 2, "a": 1})
    assert first.is_new
    assert not second.is_new
    assert second == first
    assert Queue(connection=redis).get_job_ids() == [first.id]


@pytest.mark.parametrize(
    "other",
    [
        {"args": [2]},
        {"args": [1], "kwargs": {"a": 1}},
        {"args": ["1"]},
        {"args": [1], "unique_key": "k"},
    ],
)
def test_jobs_with_other_arguments_are_not_equal(other: dict[str, Any], redis: Redis) -> None:
    _enqueue(redis, "unfinished", args=[1])
    assert _enqueue(redis, "unfinished", **other).is_new


def test_jobs_of_two_tasks_are_not_equal(redis: Redis) -> None:
    _enqueue(redis, "unfinished", unique_key="k")
    assert _enqueue(redis, "unfinished", task="tests.jobs.working.fail", unique_key="k").is_new


def test_jobs_with_the_same_key_are_equal_whatever_their_arguments(redis: Redis) -> None:
    first = _enqueue(redis, "unfinished", unique_key="customer 7", args=[1])
    assert _enqueue(redis, "unfinished", unique_key="customer 7", args=[2]) == first


def test_two_applications_do_not_see_each_others_jobs(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    _enqueue(redis, "unfinished")
    monkeypatch.setenv("CLOCK_APP", "other")
    assert _enqueue(redis, "unfinished").is_new


def test_a_job_that_begins_is_not_waiting_any_more(redis: Redis) -> None:
    start(redis, _enqueue(redis, "waiting").id)
    assert _enqueue(redis, "waiting").is_new


def test_a_job_that_runs_is_not_finished(redis: Redis) -> None:
    first = _enqueue(redis, "unfinished")
    start(redis, first.id)
    assert _enqueue(redis, "unfinished") == first


@BOTH
@pytest.mark.parametrize("task", [SAY, "tests.jobs.working.fail"])
def test_a_job_that_ended_well_or_badly_is_in_nobodys_way(
    kind: str, task: str, redis: Redis
) -> None:
    _enqueue(redis, kind, task=task)
    work_off(redis)
    assert _enqueue(redis, kind, task=task).is_new


@BOTH
@pytest.mark.parametrize("status", [JobStatus.SCHEDULED, JobStatus.DEFERRED])
def test_a_job_that_waits_for_its_retry_or_for_another_job_still_stands(
    kind: str, status: JobStatus, redis: Redis
) -> None:
    first = _enqueue(redis, kind)
    Job.fetch(first.id, connection=redis).set_status(status)
    assert _enqueue(redis, kind) == first


@BOTH
@pytest.mark.parametrize("status", ["rate_limited", "ready_to_enqueue"])
def test_a_job_that_rq_3_lets_wait_still_stands(kind: str, status: str, redis: Redis) -> None:
    first = _enqueue(redis, kind)
    redis.hset(f"rq:job:{first.id}", "status", status)
    assert _enqueue(redis, kind) == first
    assert first.status() is Status.WAITING


@BOTH
def test_a_delayed_job_waits(kind: str, redis: Redis) -> None:
    first = _enqueue(redis, kind, delay="1h")
    assert _enqueue(redis, kind) == first
    assert Queue(connection=redis).get_job_ids() == []


@BOTH
def test_a_job_whose_worker_died_is_in_nobodys_way(kind: str, redis: Redis) -> None:
    execution = start(redis, _enqueue(redis, kind).id)
    redis.delete(execution.key)  # what RQ's own expiry of the heartbeat does
    assert _enqueue(redis, kind).is_new


def test_a_job_whose_worker_died_is_unfinished_while_it_has_retries(redis: Redis) -> None:
    first = _enqueue(redis, "unfinished", retry=1)
    redis.delete(start(redis, first.id).key)
    assert _enqueue(redis, "unfinished", retry=1) == first
    redis.hset(f"rq:job:{first.id}", "retries_left", 0)
    assert _enqueue(redis, "unfinished", retry=1).is_new


@BOTH
def test_a_job_that_is_gone_is_in_nobodys_way(kind: str, redis: Redis) -> None:
    redis.delete(f"rq:job:{_enqueue(redis, kind).id}")
    assert _enqueue(redis, kind).is_new


def test_for_a_time_holds_whatever_became_of_the_job_and_not_longer(redis: Redis) -> None:
    first = _enqueue(redis, "10m")
    work_off(redis)
    assert _enqueue(redis, "10m") == first
    (guard,) = redis.keys("clock:clock:unique:*")
    assert 590_000 < redis.pttl(guard) <= 600_000
    redis.delete(guard)
    assert _enqueue(redis, "10m").is_new


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({}, 86_400 + 180),
        ({"timeout": "1h"}, 86_400 + 3600),
        ({"delay": "1h", "timeout": 60}, 86_400 + 3600 + 60),
        ({"timeout": 60, "retry": 2}, 86_400 + 3 * 60),
        ({"timeout": 60, "repeat": Repeat(times=2, interval=[5, 100])}, 86_400 + 3 * 160),
        ({"timeout": -1}, 31 * 86_400),
    ],
)
def test_no_guard_outlives_what_its_job_may_take_and_a_day(
    given: dict[str, Any], seconds: int, redis: Redis
) -> None:
    _enqueue(redis, "unfinished", **given)
    (guard,) = redis.keys("clock:clock:unique:*")
    assert seconds - 5 < redis.ttl(guard) <= seconds


def test_a_repeat_after_a_lost_reply_is_the_same_job(redis: Redis) -> None:
    _enqueue(redis, "unfinished", id="it")
    assert _enqueue(redis, "unfinished", id="it").id == "it"
    assert Queue(connection=redis).get_job_ids() == ["it"]


def test_of_many_at_once_one_is_enqueued(redis: Redis) -> None:
    handles: list[Handle] = []
    barrier = threading.Barrier(8)

    def enqueue_together() -> None:
        barrier.wait()
        handles.append(_enqueue(redis, "unfinished"))

    threads = [threading.Thread(target=enqueue_together) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(handles)) == 1
    assert sum(handle.is_new for handle in handles) == 1
    assert redis.llen("rq:queue:default") == 1
