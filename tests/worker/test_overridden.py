"""Workers whose class has methods of RQ's of its own."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job

from clock.worker import Worker
from tests.worker import ending_tasks

METHODS = (
    "perform_job",
    "prepare_job_execution",
    "handle_execution_ended",
    "handle_job_success",
)


def noting(name: str) -> Any:
    """A method that notes its call, and does as before."""

    def method(self: Any, job: Job, *args: Any, **kwargs: Any) -> Any:
        self.connection.rpush("called", name)
        return getattr(Worker, name)(self, job, *args, **kwargs)

    return method


@pytest.mark.parametrize("name", METHODS)
def test_a_method_of_a_subclass_is_called_for_each_job(redis: Redis, name: str) -> None:
    kind = type("Noting", (Worker,), {name: noting(name)})
    queue = Queue("default", connection=redis)
    jobs = [queue.enqueue(ending_tasks.say) for _ in range(2)]
    kind([queue], connection=redis).work(burst=True, logging_level="CRITICAL")
    assert redis.lrange("called", 0, -1) == [name.encode()] * 2
    assert [job.return_value() for job in jobs] == ["said"] * 2


def test_so_it_is_for_jobs_on_the_event_loop(redis: Redis) -> None:
    kind = type("Noting", (Worker,), {"handle_job_success": noting("handle_job_success")})
    queue = Queue("default", connection=redis)
    jobs = [queue.enqueue(ending_tasks.say_async) for _ in range(2)]
    kind([queue], connection=redis).work(burst=True, logging_level="CRITICAL")
    assert redis.lrange("called", 0, -1) == [b"handle_job_success"] * 2
    assert [job.return_value() for job in jobs] == ["said"] * 2


def test_a_job_fails_whose_worker_cannot_perform_it(redis: Redis) -> None:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise ValueError("not performed")

    queue = Queue("default", connection=redis)
    worker = Worker([queue], connection=redis)
    worker.perform_job = fail  # type: ignore[method-assign]
    job = queue.enqueue(ending_tasks.say)
    worker.work(burst=True, logging_level="CRITICAL")
    assert job.is_failed
    assert queue.failed_job_registry.get_job_ids() == [job.id]
