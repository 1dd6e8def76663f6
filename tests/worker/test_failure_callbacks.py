"""The job that runs an abandoned job's own code: queued by one release, done by another."""

from __future__ import annotations

from redis import Redis
from rq import Callback, Queue
from rq.job import Job
from rq.utils import import_attribute

from clock.worker import failure_callbacks

NAME = "clock.worker.mourning.mourn"
"""As 0.1.0 enqueued it, and as workers of 0.1.0 can import it: not to be changed before 1.0."""


def test_it_is_enqueued_under_the_name_that_workers_of_0_1_0_know(redis: Redis) -> None:
    queue = Queue("default", connection=redis)
    job = Job.create("tasks.x", connection=redis, on_failure=Callback("tasks.on_failure"))
    with redis.pipeline() as pipeline:
        failure_callbacks.enqueue_failure_callbacks(
            job, queue, pipeline, reason="its worker died", failed=True
        )
        pipeline.execute()
    (callback,) = queue.jobs
    assert callback.func_name == NAME
    assert callback.args == (job.id, "its worker died", True)


def test_the_name_in_queued_jobs_is_importable() -> None:
    assert import_attribute(NAME) is failure_callbacks.run_failure_callbacks
