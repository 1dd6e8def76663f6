"""A job is read from its hash as RQ reads it, also where only a few fields are looked at."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from redis import Redis
from rq import Callback, Queue, Repeat, Retry
from rq.job import Job

from clock.worker.job_hash import JobHash
from tests.worker import ending_tasks

OF_ITS_OWN = {"log", "connection", "serializer"}


def attributes(job: Job) -> dict[str, Any]:
    return {name: value for name, value in vars(job).items() if name not in OF_ITS_OWN}


def hash_of(redis: Redis, identifier: str) -> dict[bytes, bytes]:
    return dict(redis.hgetall(f"rq:job:{identifier}"))  # type: ignore[arg-type]


def read(redis: Redis, identifier: str) -> JobHash:
    return JobHash(Job, identifier, hash_of(redis, identifier), connection=redis, serializer=None)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"meta": {"a": [1]}, "description": "words, and é"},
        {"result_ttl": 5, "ttl": 900, "failure_ttl": 3, "job_timeout": 77},
        {"retry": Retry(3, interval=[1, 2, 3]), "at_front": True},
        {"repeat": Repeat(times=2, interval=[5, 6])},
        {"on_success": Callback(ending_tasks.called), "on_failure": Callback(ending_tasks.called)},
    ],
)
def test_a_second_job_of_the_same_options_is_read_as_the_first_and_as_rq_does(
    redis: Redis, options: dict[str, Any]
) -> None:
    queue = Queue("default", connection=redis)
    for identifier in ("one", "two", "three"):
        queue.enqueue(ending_tasks.say, job_id=identifier, **options)
        ours, theirs = read(redis, identifier).job, Job.fetch(identifier, connection=redis)
        assert attributes(ours) == attributes(theirs)
        assert (ours.func_name, ours.args) == (theirs.func_name, theirs.args)


@pytest.mark.parametrize(
    "change",
    [
        lambda job: job.meta.update(b=2),
        lambda job: job.meta["a"].append(2),
        lambda job: job.retry_intervals.append(99),
    ],
)
def test_what_one_job_changes_in_place_the_next_does_not_see(
    redis: Redis, change: Callable[[Any], object]
) -> None:
    queue = Queue("default", connection=redis)
    options: dict[str, Any] = {"meta": {"a": [1]}, "retry": Retry(1, interval=[7])}
    for identifier in ("one", "two"):
        queue.enqueue(ending_tasks.say, job_id=identifier, **options)
        job = read(redis, identifier).job
        assert (job.meta, job.retry_intervals) == ({"a": [1]}, [7])
        change(job)


def test_an_unreadable_meta_is_read_as_rq_reads_it(redis: Redis) -> None:
    queue = Queue("default", connection=redis)
    for identifier, meta in (
        ("one", b""),
        ("two", b"no pickle"),
        ("three", pickle.dumps(None)),
        ("four", b""),
    ):
        queue.enqueue(ending_tasks.say, job_id=identifier)
        redis.hset(f"rq:job:{identifier}", "meta", meta)
        theirs = Job.fetch(identifier, connection=redis)
        assert attributes(read(redis, identifier).job) == attributes(theirs)


def test_only_the_end_is_written_of_a_job_that_was_not_changed(redis: Redis) -> None:
    Queue("default", connection=redis).enqueue(ending_tasks.say, job_id="one")
    stored = read(redis, "one")
    stored.job.ended_at = datetime(2026, 12, 1, 9, 30, 0, 7, tzinfo=UTC)
    assert stored.changes()[0::2] == ["status", "ended_at", "last_heartbeat"]
    assert stored.changes()[3] == "2026-12-01T09:30:00.000007Z"


def test_what_the_task_changed_is_written_too(redis: Redis) -> None:
    Queue("default", connection=redis).enqueue(ending_tasks.say, job_id="one")
    stored = read(redis, "one")
    stored.job.ended_at = datetime(2026, 12, 1, tzinfo=UTC)
    stored.job.result_ttl = 12
    changes = stored.changes()
    assert dict(zip(changes[0::2], changes[1::2], strict=True))["result_ttl"] == 12
