"""What callers and subclasses of RQ's worker rely on, beside its command."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

from redis import Redis
from rq import Queue
from rq.job import Job, JobStatus
from rq.registry import FailedJobRegistry

from clock.worker import Worker
from clock.worker.graceful import Grace
from clock.worker.heartbeat import Heartbeat
from tests.worker import ending_tasks


def test_a_failure_can_be_reported_of_a_job_that_never_ran(redis: Redis) -> None:
    queue = Queue("default", connection=redis)
    job = queue.enqueue(ending_tasks.say)
    Worker([queue], connection=redis).handle_job_failure(job, queue, exc_string="reported")
    assert job in FailedJobRegistry(queue=queue)


def test_a_job_that_kills_its_child_counts_as_one_of_max_jobs(redis: Redis) -> None:
    queue = Queue("default", connection=redis)
    first, second = queue.enqueue(ending_tasks.leave), queue.enqueue(ending_tasks.say)
    worker = Worker([queue], connection=redis)
    assert worker.work(burst=True, max_jobs=1, logging_level="CRITICAL")
    assert first.get_status() == JobStatus.FAILED
    assert second.get_status() == JobStatus.QUEUED


def test_a_worker_is_idle_once_its_child_has_died_of_a_job(redis: Redis) -> None:
    queue = Queue("default", connection=redis)
    queue.enqueue(ending_tasks.leave)
    worker = Worker([queue], connection=redis)
    worker.work(burst=True, max_jobs=1, logging_level="CRITICAL")
    assert redis.hget(worker.key, "state") == b"idle"


def test_what_a_subclass_raises_after_a_job_does_not_undo_its_end(redis: Redis) -> None:
    queue = Queue("default", connection=redis)
    jobs = [queue.enqueue(ending_tasks.say) for _ in range(2)]
    worker = Raising([queue], connection=redis)
    assert worker.work(burst=True, logging_level="CRITICAL")
    assert [job.get_status() for job in jobs] == [JobStatus.FINISHED] * 2


def test_a_worker_that_has_ended_leaves_no_thread(redis: Redis) -> None:
    Worker(["default"], connection=redis).work(burst=True, logging_level="CRITICAL")
    for thread in threading.enumerate():
        if isinstance(thread, Grace | Heartbeat):
            thread.join(30)
            assert not thread.is_alive()


def test_the_end_of_a_worker_does_not_wait_for_the_thread_that_hears_commands(
    redis: Redis,
) -> None:
    worker = Hearing(["default"], connection=redis)
    for _ in range(20):
        worker.heard.clear()
        worker.subscribe()  # type: ignore[no-untyped-call]
        redis.publish(worker.pubsub_channel_name, "a command")
        assert worker.heard.wait(15)
        thread: Any = worker.pubsub_thread
        worker.unsubscribe()
        assert not thread.is_alive()


class Hearing(Worker):
    """A worker that knows whether it has heard a command."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.heard = threading.Event()

    def handle_payload(self, message: Any) -> None:
        self.heard.set()


class Raising(Worker):
    """A worker with an error in what it adds."""

    def perform_job(self, *args: Any, **kwargs: Any) -> bool:
        super().perform_job(*args, **kwargs)
        raise RuntimeError("after the job")


def test_jobs_and_queues_may_have_keys_of_their_own(redis: Redis) -> None:
    queue = OwnQueue("default", connection=redis, job_class=OwnJob)
    job = queue.enqueue(ending_tasks.say)
    delayed = queue.enqueue_in(timedelta(0), ending_tasks.say)
    Worker([queue], connection=redis, job_class=OwnJob).work(burst=True, logging_level="CRITICAL")
    assert [job.get_status(), delayed.get_status()] == [JobStatus.FINISHED] * 2


def test_jobs_are_read_by_the_worker_s_serializer_not_the_queue_s(redis: Redis) -> None:
    job = Queue("default", connection=redis, serializer="json").enqueue(ending_tasks.say)
    worker = Worker([Queue("default", connection=redis)], connection=redis, serializer="json")
    worker.work(burst=True, logging_level="CRITICAL")
    assert job.get_status() == JobStatus.FINISHED


class OwnJob(Job):
    """A job with another key."""

    redis_job_namespace_prefix = "own:job:"


class OwnQueue(Queue):
    """A queue with another key."""

    redis_queue_namespace_prefix = "own:queue:"
