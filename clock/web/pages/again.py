"""Enqueueing a job again with other arguments: a new job, while the old one stays as it is."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from clock.jobs.enqueue import enqueue_request
from clock.jobs.options import EnqueueOptions
from clock.jobs.target import Target
from clock.observe.rq.jobs import JobDetails, read_details
from clock.web.auditing import auditing, job_details
from clock.web.call_arguments import WrittenCall, read_call, why_not_allowed, write_call
from clock.web.context import ANSWER, Context
from clock.web.error_response import ROOT
from clock.web.pages.actions import field, sentence_of
from clock.web.pages.rendering import context_of, may_act, render
from clock.web.pages.run import LONGEST_WRITTEN


def show_again(request: Request) -> Response:
    """``GET /again``: the form for other arguments of the job with ``id``, with its own in it."""
    context = context_of(request)
    details = _details(context, request.query_params.get("id", ""))
    why_not = _why_not(context, details)
    is_asked = may_act(request) and not why_not
    written, note = _own(details) if is_asked else (WrittenCall(), "")
    return _ask(request, details, written, note=note, why_not=why_not)


def run_again(request: Request) -> Response:
    """``POST /again``: enqueue a new job of the task of ``job``, with ``args`` and ``kwargs``, on
    the same queue and with the same timeout.
    """
    context, form = context_of(request), request.state.form
    details = _details(context, field(request, "job"))
    job, why_not = details.summary, _why_not(context, details)
    if why_not or job.task is None:
        raise HTTPException(403, why_not)
    written = WrittenCall(args=form.get("args", ""), kwargs=form.get("kwargs", ""))
    target = Target(connection=context.connection, serializer=context.serializer, app=context.app)
    try:
        args, kwargs = read_call(written)
        options: dict[str, Any] = {"args": args, "kwargs": kwargs, "queue": job.queue}
        options |= {"timeout": job.timeout} if job.timeout and job.timeout > 0 else {}
        with auditing(request, "run again", job.id) as change:
            change.before = job_details(job)
            (new,) = enqueue_request(
                target,
                [(job.task, cast("EnqueueOptions", options))],
                deadline=ANSWER,
                now=context.now(),
            )
            change.after = {"job": new.id, "other_arguments": True}
    except ValueError as error:
        return _ask(request, details, written, problem=sentence_of(error))
    query = urlencode({"id": new.id, "done": "run", "of": new.id})
    return RedirectResponse(f"{request.scope[ROOT]}/job?{query}", 303)


def _details(context: Context, identifier: str) -> JobDetails:
    details = read_details(context.connection, identifier)
    if details is None:
        raise HTTPException(404, f"RQ has no job {identifier[:200]!r}, or no longer")
    return details


def _why_not(context: Context, details: JobDetails) -> str:
    if not context.access.arguments:
        return "arguments are not shown (--show-arguments)"
    task = details.summary.task
    return "its task cannot be read" if task is None else why_not_allowed(context, task)


def _own(details: JobDetails) -> tuple[WrittenCall, str]:
    """The job's own arguments to be edited, and what the reader has to know of them."""
    replaces = "what you write here replaces all of them"
    try:
        if details.arguments is None:
            raise ValueError("they are not plain values")
        args, kwargs = details.arguments
        written = write_call(args, kwargs)
        if len(written.args) + len(written.kwargs) > LONGEST_WRITTEN:
            raise ValueError("they are too long to be edited here")
    except (ValueError, TypeError) as error:
        return WrittenCall(), f"Its arguments cannot be written as JSON: {error}; {replaces}."
    return written, ""


def _ask(
    request: Request,
    details: JobDetails,
    written: WrittenCall,
    *,
    note: str = "",
    why_not: str = "",
    problem: str = "",
) -> Response:
    return render(
        request,
        "again.html",
        400 if problem else 200,
        job=details.summary,
        written=written,
        note=note,
        why_not=why_not,
        problem=problem,
    )
