"""What an abandoned job's own code does about it, done by a worker like any other job.

``on_failure`` and webhooks are code of the application: they may take long or fail, and belong in a
process of their own, not in the one that looks for abandoned jobs.
"""

from __future__ import annotations

import secrets

from redis.client import Pipeline
from rq import Queue, get_current_job
from rq.exceptions import AbandonedJobError, NoSuchJobError
from rq.job import Job, JobStatus
from rq.timeouts import UnixSignalDeathPenalty

from clock.jobs.rq_versions import call_on_failure

TASK = "clock.worker.mourning.mourn"
"""What stands in queued jobs for ``mourn``. Workers of other releases look it up, so it stays, and
stays importable from here, whatever the module or the function is called."""

KEPT = 7 * 86_400
"""Seconds a failed one is kept; one that succeeded goes at once."""


def mourning(job: Job, queue: Queue, pipeline: Pipeline, *, reason: str, failed: bool) -> None:
    """Enqueue, as part of ``pipeline``, what is to be done about a dead worker's ``job``: nothing,
    if it has neither ``on_failure`` nor, having ``failed``, webhooks.
    """
    webhooks = getattr(job, "webhooks", None)
    if not job._failure_callback_name and not (failed and webhooks):
        return
    queue.enqueue_call(
        TASK,
        args=(job.id, reason, failed),
        job_id=f"mourn-{secrets.token_hex(8)}",
        description=f"{TASK}({job.id!r})",
        result_ttl=0,
        failure_ttl=KEPT,
        at_front=True,
        pipeline=pipeline,
    )


def mourn(job_id: str, reason: str, failed: bool) -> None:
    """Run the ``on_failure`` of an abandoned job with an AbandonedJobError that has the reason, and
    send its webhooks where it ``failed``.
    """
    own = get_current_job()
    assert own is not None
    try:
        job = Job.fetch(job_id, connection=own.connection, serializer=own.serializer)
    except NoSuchJobError:
        return
    error = AbandonedJobError(reason)
    call_on_failure(job, UnixSignalDeathPenalty, error)
    if failed and hasattr(job, "send_webhooks"):
        job.send_webhooks(JobStatus.FAILED, exc_string=reason)
