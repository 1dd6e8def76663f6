"""Running an event by hand, with its own arguments or with others."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from clock.ledger.descriptions import Description, read_with_rows
from clock.ledger.kept_template import Call, read_template
from clock.ledger.manual import run_now
from clock.observe.rq.payload import read_arguments
from clock.web.auditing import auditing, run_details
from clock.web.call_arguments import WrittenCall, read_call, why_not_allowed, write_call
from clock.web.context import Context
from clock.web.pages.actions import field, finish, sentence_of
from clock.web.pages.rendering import context_of, may_act, render

LONGEST_WRITTEN = 20_000
"""Characters of arguments that are offered to be edited: a form has 64 KiB."""


def show_run(request: Request) -> Response:
    """``GET /run``: the form for other arguments of ``event``, filled in with its own."""
    context, event = context_of(request), request.query_params.get("event", "")
    description = _description(context, event)
    why_not = why_not_allowed(context, description.task)
    is_asked = may_act(request) and not why_not
    written, note = _own(context, event) if is_asked else (WrittenCall(), "")
    return _ask(request, description, written, note=note, why_not=why_not)


def run_event(request: Request) -> Response:
    """``POST /run``: enqueue the job of ``event``; where there are the fields ``args`` or
    ``kwargs``, with these arguments.
    """
    context, event, form = context_of(request), field(request, "event"), request.state.form
    call = None
    if "args" in form or "kwargs" in form:
        description = _description(context, event)
        why_not = why_not_allowed(context, description.task)
        if why_not:
            raise HTTPException(403, why_not)
        written = WrittenCall(args=form.get("args", ""), kwargs=form.get("kwargs", ""))
        try:
            args, kwargs = read_call(written)
        except ValueError as error:
            return _ask(request, description, written, problem=sentence_of(error))
        call = Call(task=description.task, args=args, kwargs=kwargs)
    with auditing(request, "run", event) as change:
        job = run_now(context.connection, context.app, event, context.now(), call=call)
        change.after = run_details(job, call)
    return finish(request, "run", event)


def _description(context: Context, event: str) -> Description:
    description = read_with_rows(context.connection, context.app).get(event)
    if description is None:
        raise HTTPException(404, f"there is no event {event[:200]!r}")
    return description


def _own(context: Context, event: str) -> tuple[WrittenCall, str]:
    """The event's own arguments to be edited, and what the reader has to know of them."""
    replaces = "what you write here replaces all of them"
    if not context.access.arguments:
        return WrittenCall(), f"Its own arguments are not shown (--show-arguments); {replaces}."
    arguments = read_arguments(read_template(context.connection, context.app, event).data)
    try:
        if arguments is None:
            raise ValueError("they are not plain values")
        written = write_call(*arguments)
        if len(written.args) + len(written.kwargs) > LONGEST_WRITTEN:
            raise ValueError("they are too long to be edited here")
    except (ValueError, TypeError) as error:
        return WrittenCall(), f"Its own arguments cannot be written as JSON: {error}; {replaces}."
    return written, ""


def _ask(
    request: Request,
    description: Description,
    written: WrittenCall,
    *,
    note: str = "",
    why_not: str = "",
    problem: str = "",
) -> Response:
    return render(
        request,
        "run.html",
        400 if problem else 200,
        description=description,
        written=written,
        note=note,
        why_not=why_not,
        problem=problem,
    )
