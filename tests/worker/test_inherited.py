"""What callers and subclasses of RQ's worker rely on, beside its command."""

from __future__ import annotations

from redis import Redis
from rq import Queue
from rq.registry import FailedJobRegistry

from clock.worker import Worker
from tests.worker import ending_tasks


def test_a_failure_can_be_reported_of_a_job_that_never_ran(redis: Redis) -> None:
    queue = Queue("default", connection=redis)
    job = queue.enqueue(ending_tasks.say)
    Worker([queue], connection=redis).handle_job_failure(job, queue, exc_string="reported")
    assert job in FailedJobRegistry(queue=queue)
