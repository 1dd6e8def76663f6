"""The failure callback and the webhooks of an abandoned job, run by a worker like any other job.

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
"""The dotted name in queued jobs. Workers of 0.1.0 look it up, so it stays until 1.0."""

KEPT = 7 * 86_400
"""Seconds a failed one is kept; one that succeeded goes at once."""


def enqueue_failure_callbacks(
    job: Job, queue: Queue, pipeline: Pipeline, *, reason: str, failed: bool
) -> None:
    """Enqueue, as part of ``pipeline``, the failure callback of a dead worker's ``job``, and its
    webhooks if it ``failed``; nothing where it has neither.
    """
    webhooks = getattr(job, "webhooks", None)
    if not job._failure_callback_name and not (failed and webhooks):
        return
    queue.enqueue_call(
        TASK,
        args=(job.id, reason, failed),
        job_id=f"failure-callbacks-{secrets.token_hex(8)}",
        description=f"{TASK}({job.id!r})",
        result_ttl=0,
        failure_ttl=KEPT,
        at_front=True,
        pipeline=pipeline,
    )


def run_failure_callbacks(job_id: str, reason: str, failed: bool) -> None:
    """Run the ``on_failure`` of an abandoned job with an AbandonedJobError that has the reason, and
    send its webhooks where it ``failed``.
    """
    own = get_current_job()
    assert own is not None
    try:
        job = type(own).fetch(job_id, connection=own.connection, serializer=own.serializer)
    except NoSuchJobError:
        return
    error = AbandonedJobError(reason)
    call_on_failure(job, UnixSignalDeathPenalty, error)
    if failed and hasattr(job, "send_webhooks"):
        job.send_webhooks(JobStatus.FAILED, exc_string=reason)
