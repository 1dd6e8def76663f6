"""Requeue, delete and stop jobs: one, chosen ones, or all failed ones of a filter."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from clock.connection.errors import server_errors
from clock.jobs.requeue import (
    MOST,
    Deleted,
    delete,
    delete_all,
    delete_chosen,
    requeue,
    requeue_all,
    requeue_chosen,
)
from clock.jobs.stop import stop
from clock.observe.rq.jobs import JobSummary, read_summaries
from clock.observe.rq.listed_job import Filter
from clock.web.auditing import auditing, job_details, meant_words
from clock.web.pages.actions import field, finish
from clock.web.pages.jobs import read_filter
from clock.web.pages.question import ask, is_sure
from clock.web.pages.rendering import context_of

CHOSEN = "job."
"""What the name of the field of a chosen job begins with; its id follows."""


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
    """``POST /delete``: delete ``job``, once its person is sure."""
    context, identifier = context_of(request), field(request, "job")
    if not is_sure(request):
        return ask(request, f"Delete job {identifier[:250]}?", "Delete", "This cannot be undone.")
    job = _summary(request, identifier)
    with auditing(request, "delete", identifier) as change:
        change.before = job_details(job)
        outcome = delete(context.connection, identifier)
        change.problem = "" if outcome is Deleted.GONE else outcome
    action = "delete" if outcome is Deleted.GONE else f"delete-{outcome}"
    return finish(request, action, identifier)


def stop_job(request: Request) -> Response:
    """``POST /stop``: ask the worker that runs ``job`` to stop it, once its person is sure."""
    context, identifier = context_of(request), field(request, "job")
    if not is_sure(request):
        detail = "It fails, whatever retries are left."
        return ask(request, f"Stop job {identifier[:250]}?", "Stop", detail)
    job = _summary(request, identifier)
    with auditing(request, "stop", identifier) as change:
        change.before = job_details(job)
        is_asked = stop(context.connection, identifier)
        change.problem = "" if is_asked else "not a running job"
    return finish(request, "stop" if is_asked else "stop-none", identifier)


def requeue_some(request: Request) -> Response:
    """``POST /requeue-chosen``: put back those of the chosen jobs that have failed."""
    context, chosen = context_of(request), _chosen(request)
    with auditing(request, "requeue chosen", meant_words(chosen)) as change:
        changed = requeue_chosen(context.connection, chosen, context.now())
        change.after = {"requeued": changed.count}
    return finish(request, "requeue-all", str(changed.count))


def delete_some(request: Request) -> Response:
    """``POST /delete-chosen``: delete the chosen jobs, once their person is sure."""
    context, chosen = context_of(request), _chosen(request)
    if not is_sure(request):
        return ask(request, f"Delete {_jobs(len(chosen))}?", "Delete", "This cannot be undone.")
    with auditing(request, "delete chosen", meant_words(chosen)) as change:
        changed = delete_chosen(context.connection, chosen)
        change.after = {"deleted": changed.count}
    return finish(request, "delete-all", str(changed.count))


def requeue_jobs(request: Request) -> Response:
    """``POST /requeue-all``: all failed jobs of a filter, once their person is sure."""
    context, which = context_of(request), _filter(request)
    if not is_sure(request):
        question = f"Requeue all failed jobs of this filter ({meant_words(which)})?"
        return ask(request, question, "Requeue all", _AT_MOST)
    with auditing(request, "requeue all", meant_words(which)) as change:
        changed = requeue_all(context.connection, which, context.now())
        change.after = {"requeued": changed.count}
    return finish(request, "requeue-all", str(changed.count))


def delete_jobs(request: Request) -> Response:
    """``POST /delete-all``: delete them, once their person is sure."""
    context, which = context_of(request), _filter(request)
    if not is_sure(request):
        question = f"Delete all failed jobs of this filter ({meant_words(which)})?"
        return ask(request, question, "Delete all", f"This cannot be undone. {_AT_MOST}")
    with auditing(request, "delete all", meant_words(which)) as change:
        changed = delete_all(context.connection, which, context.now())
        change.after = {"deleted": changed.count}
    return finish(request, "delete-all", str(changed.count))


_AT_MOST = f"At most {MOST:,} jobs are looked at; repeat it for the rest."


def _jobs(count: int) -> str:
    return "one job" if count == 1 else f"{count} jobs"


def _chosen(request: Request) -> list[str]:
    form = request.state.form
    chosen = [name.removeprefix(CHOSEN) for name in form if name.startswith(CHOSEN)]
    if not chosen:
        raise HTTPException(400, "choose a job first")
    return chosen


def _summary(request: Request, identifier: str) -> JobSummary | None:
    with server_errors():
        (job,) = read_summaries(context_of(request).connection, [identifier])
    return job


def _filter(request: Request) -> Filter:
    form = request.state.form
    if "queue" not in form:
        raise HTTPException(400, "the form has no field 'queue'; it is empty for all queues")
    return read_filter(form, context_of(request).now())
