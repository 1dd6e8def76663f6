"""The look for abandoned jobs."""

from __future__ import annotations

import logging
import time

import pytest
from redis import Redis
from rq import Queue, Retry
from rq.job import JobStatus

from clock.worker.reaper import Reaper
from tests.worker.test_recovery import begun

NOW = time.time()


def reaper(redis: Redis) -> Reaper:
    return Reaper(redis, [Queue("default", connection=redis)], app="app")


def test_a_job_that_cannot_be_read_fails_and_holds_nobody_up(
    redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    broken = begun(redis, retry=Retry(1))
    redis.hset(broken.key, "status", "nonsense")
    jobs = [begun(redis, retry=Retry(1)) for _ in range(2)]
    redis.zadd("rq:wip:default", {"no execution": NOW - 1})
    with caplog.at_level(logging.WARNING, "clock"):
        looks = reaper(redis)
        looks.look(NOW)
        looks.look(NOW)
    assert set(Queue("default", connection=redis).job_ids) == {job.id for job in jobs}
    assert redis.zrange("rq:failed:default", 0, -1) == [broken.id.encode()]
    assert [record.message for record in caplog.records] == ["abandoned"] * 3


def test_jobs_are_found_on_queues_that_are_not_the_worker_s_own(redis: Redis) -> None:
    Queue("elsewhere", connection=redis).enqueue("work.x")
    job = begun(redis, retry=Retry(1))
    other = Reaper(redis, [Queue("other", connection=redis)], app="app")
    other.look(NOW)
    assert Queue("default", connection=redis).job_ids == [job.id]


def test_a_job_between_its_only_queue_and_its_start_is_put_back_after_a_minute(
    redis: Redis,
) -> None:
    queue = Queue("default", connection=redis)
    job = queue.enqueue("work.x")
    assert Queue.dequeue_any([queue], None, connection=redis) is not None
    looks = reaper(redis)
    looks.look(NOW)
    looks.look(NOW)
    assert queue.job_ids == []
    between = queue.intermediate_queue
    redis.set(between.get_first_seen_key(job.id), time.time() - 61)
    looks.look(NOW)
    assert queue.job_ids == [job.id]
    assert redis.exists(between.key, between.get_first_seen_key(job.id)) == 0


def test_one_that_has_started_stays_where_it_is(redis: Redis) -> None:
    job = begun(redis, owner=None)
    redis.rpush("rq:queue:default:intermediate", job.id)
    between = Queue("default", connection=redis).intermediate_queue
    redis.set(between.get_first_seen_key(job.id), time.time() - 61)
    reaper(redis).look(NOW)
    assert Queue("default", connection=redis).job_ids == []


def test_one_that_has_ended_is_not_run_again(redis: Redis) -> None:
    queue = Queue("default", connection=redis)
    job = queue.enqueue("work.x")
    redis.delete(queue.key)
    redis.rpush("rq:queue:default:intermediate", job.id)
    job.set_status(JobStatus.FINISHED)
    between = queue.intermediate_queue
    redis.set(between.get_first_seen_key(job.id), time.time() - 61)
    reaper(redis).look(NOW)
    assert queue.job_ids == []
    assert redis.exists(between.key, between.get_first_seen_key(job.id)) == 0
    assert job.get_status() == JobStatus.FINISHED
