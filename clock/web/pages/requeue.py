"""Requeue and delete jobs: one, or all failed ones of a filter."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from clock.connection.errors import server_errors
from clock.jobs.requeue import Deleted, Filter, delete, delete_all, requeue, requeue_all
from clock.observe.rq.jobs import read_summaries
from clock.web.pages.actions import field, finish
from clock.web.pages.rendering import context_of


def requeue_job(request: Request) -> Response:
    """``POST /requeue``: put the failed ``job`` back on its queue."""
    context, identifier = context_of(request), field(request, "job")
    with server_errors():
        (job,) = read_summaries(context.connection, [identifier])
    if job is None or not requeue(context.connection, [identifier], job.queue, context.now()):
        return finish(request, "requeue-none", identifier)
    return finish(request, "requeue", identifier)


def delete_job(request: Request) -> Response:
    """``POST /delete``: delete ``job``."""
    context, identifier = context_of(request), field(request, "job")
    outcome = delete(context.connection, identifier)
    action = "delete" if outcome is Deleted.GONE else f"delete-{outcome}"
    return finish(request, action, identifier)


def requeue_jobs(request: Request) -> Response:
    """``POST /requeue-all``: all failed jobs of ``queue``, or those of an ``event`` or ``task``."""
    context = context_of(request)
    changed = requeue_all(context.connection, _filter(request), context.now())
    return finish(request, "requeue-all", str(changed.count))


def delete_jobs(request: Request) -> Response:
    """``POST /delete-all``: delete them; ``sure`` confirms it."""
    context = context_of(request)
    if not request.state.form.get("sure"):
        raise HTTPException(400, "nothing was deleted: tick the box to confirm")
    changed = delete_all(context.connection, _filter(request), context.now())
    return finish(request, "delete-all", str(changed.count))


def _filter(request: Request) -> Filter:
    form = request.state.form
    queue = field(request, "queue")
    return Filter(queue=queue, event=form.get("event") or None, task=form.get("task") or None)
