"""Requeue and delete jobs: one, or all failed ones of a filter."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from clock.connection.errors import server_errors
from clock.jobs.requeue import Deleted, Filter, delete, delete_all, requeue, requeue_all
from clock.observe.rq.jobs import JobSummary, read_summaries
from clock.web.auditing import auditing, filter_words, job_details
from clock.web.pages.actions import field, finish
from clock.web.pages.rendering import context_of


def requeue_job(request: Request) -> Response:
    """``POST /requeue``: put the failed ``job`` back on its queue."""
    context, identifier = context_of(request), field(request, "job")
    job = _summary(request, identifier)
    with auditing(request, "requeue", identifier) as change:
        change.before = job_details(job)
        back = job and requeue(context.connection, [identifier], job.queue, context.now())
        change.problem = "" if back else "not a failed job"
    return finish(request, "requeue" if back else "requeue-none", identifier)


def delete_job(request: Request) -> Response:
    """``POST /delete``: delete ``job``."""
    context, identifier = context_of(request), field(request, "job")
    job = _summary(request, identifier)
    with auditing(request, "delete", identifier) as change:
        change.before = job_details(job)
        outcome = delete(context.connection, identifier)
        change.problem = "" if outcome is Deleted.GONE else outcome
    action = "delete" if outcome is Deleted.GONE else f"delete-{outcome}"
    return finish(request, action, identifier)


def requeue_jobs(request: Request) -> Response:
    """``POST /requeue-all``: all failed jobs of ``queue``, or those of an ``event`` or ``task``."""
    context, which = context_of(request), _filter(request)
    with auditing(request, "requeue all", filter_words(which)) as change:
        changed = requeue_all(context.connection, which, context.now())
        change.after = {"requeued": changed.count}
    return finish(request, "requeue-all", str(changed.count))


def delete_jobs(request: Request) -> Response:
    """``POST /delete-all``: delete them; ``sure`` confirms it."""
    context, which = context_of(request), _filter(request)
    if not request.state.form.get("sure"):
        raise HTTPException(400, "nothing was deleted: tick the box to confirm")
    with auditing(request, "delete all", filter_words(which)) as change:
        changed = delete_all(context.connection, which, context.now())
        change.after = {"deleted": changed.count}
    return finish(request, "delete-all", str(changed.count))


def _summary(request: Request, identifier: str) -> JobSummary | None:
    with server_errors():
        (job,) = read_summaries(context_of(request).connection, [identifier])
    return job


def _filter(request: Request) -> Filter:
    form = request.state.form
    queue = field(request, "queue")
    return Filter(queue=queue, event=form.get("event") or None, task=form.get("task") or None)
