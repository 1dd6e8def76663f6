"""Jobs of a class whose keys begin otherwise than RQ's."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis
from rq import Callback, Queue, Retry, SimpleWorker
from rq.executions import Execution
from rq.job import Job, JobStatus

from clock import keys
from clock.jobs.lease import Leases
from clock.worker.due import move_due
from clock.worker.execution_owner import OwnedExecution
from clock.worker.heartbeat import send_heartbeats
from clock.worker.reaper import Reaper

PREFIX = "shop:job:"
DEAD = "w1.token"
TASK = "work.x"


class ShopJob(Job):
    """A job beside RQ's."""

    redis_job_namespace_prefix = PREFIX


called: list[str] = []


def call_back(job: Job, *error: Any) -> None:
    """A failure callback."""
    called.append(job.id)


@pytest.fixture
def queue(redis: Redis) -> Queue:
    """A queue of such jobs."""
    return Queue("default", connection=redis, job_class=ShopJob)


def begun(queue: Queue, **options: Any) -> tuple[Job, Execution]:
    """A job that a dead worker had started."""
    job = queue.enqueue(TASK, **options)
    queue.remove(job)
    with queue.connection.pipeline() as pipeline:
        execution = Execution.create(job, 90, pipeline)
        job.prepare_for_execution("w1", pipeline)
        pipeline.hset(execution.key, keys.OWNER, DEAD)
        pipeline.execute()
    return job, execution


def test_a_heartbeat_is_written_to_the_job_and_finds_that_it_was_taken_away(queue: Queue) -> None:
    job, execution = begun(queue)
    owned = OwnedExecution(
        job=job.id, execution=execution.id, queue="default",
        began=datetime.now(UTC), owner=DEAD, text="here 1",
    )  # fmt: skip

    def overtaken() -> list[str]:
        return send_heartbeats(
            queue.connection, name="w1", owner="w1.worker", text="here 1", worker_ttl=480,
            children=[(DEAD, owned)], may_reap=False, job_prefix=PREFIX,
        ).overtaken  # fmt: skip

    queue.connection.hset(job.key, "last_heartbeat", "long ago")
    assert overtaken() == []
    assert queue.connection.hget(job.key, "last_heartbeat") != b"long ago"
    queue.connection.hset(job.key, keys.OVERTAKEN, execution.id)
    assert overtaken() == [execution.id]
    assert queue.connection.keys("rq:job:*") == []


def test_one_above_the_limit_is_held_and_let_go(queue: Queue) -> None:
    def leases(worker: str) -> Leases:
        return Leases(
            connection=queue.connection, app="clock", worker=worker, limits={TASK: 1},
            job_prefix=PREFIX,
        )  # fmt: skip

    (first, _), (second, _) = begun(queue), begun(queue)
    assert leases("a").take(first)
    assert not leases("b").take(second)
    assert second.get_status() == JobStatus.SCHEDULED
    assert leases("a").release(first) == 1
    assert second.get_status() == JobStatus.QUEUED
    assert queue.job_ids == [second.id]


@pytest.mark.parametrize("own", ["default", "other"])
def test_the_job_of_a_dead_worker_waits_again(queue: Queue, own: str) -> None:
    job, _ = begun(queue, retry=Retry(1))
    own_queue = Queue(own, connection=queue.connection, job_class=ShopJob)
    queue.connection.sadd(Queue.redis_queues_keys, queue.key)
    Reaper(queue.connection, [own_queue], app="clock").look(time.time())
    assert queue.job_ids == [job.id]
    assert job.get_status() == JobStatus.QUEUED


@pytest.mark.parametrize("kind", [Job, ShopJob])
def test_a_worker_for_jobs_of_another_class_leaves_those_of_other_queues_alone(
    queue: Queue, kind: type[Job]
) -> None:
    job, execution = begun(queue if kind is Job else Queue("default", connection=queue.connection))
    queue.connection.sadd(Queue.redis_queues_keys, queue.key)
    elsewhere = Queue("other", connection=queue.connection, job_class=kind)
    Reaper(queue.connection, [elsewhere], app="clock").look(time.time())
    assert queue.connection.zrange("rq:wip:default", 0, -1) == [f"{job.id}:{execution.id}".encode()]
    assert job.get_status() == JobStatus.STARTED


def test_its_failure_callback_is_called(queue: Queue) -> None:
    job, _ = begun(queue, on_failure=Callback(f"{__name__}.call_back"))
    Reaper(queue.connection, [queue], app="clock").look(time.time())
    called.clear()
    SimpleWorker([queue], connection=queue.connection, job_class=ShopJob).work(burst=True)
    assert called == [job.id]


def test_a_delayed_one_moves_and_its_dependencies_expire_with_it(queue: Queue) -> None:
    job = queue.enqueue_at(datetime.now(UTC) - timedelta(seconds=1), TASK, ttl=100)
    queue.connection.sadd(job.dependencies_key, "first")
    assert move_due(queue.connection, [queue]) == 1
    assert queue.job_ids == [job.id]
    assert 0 < queue.connection.ttl(job.dependencies_key) <= 100
