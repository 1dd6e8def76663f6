"""The page of one job."""

from __future__ import annotations

import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from clock.connection.errors import server_errors
from clock.jobs.progress import read_progress
from clock.observe.error_text import read_error
from clock.observe.rq.attempts import read_attempts
from clock.observe.rq.jobs import read_details
from clock.observe.rq.relations import read_relations
from clock.recurrence.zone import zone
from clock.runs.output import read_outputs
from clock.web.pages.attempt_bars import draw
from clock.web.pages.overview import message_of
from clock.web.pages.rendering import context_of, render

LONGEST_OUTPUT = 8_000
"""Characters shown of the output of a run, its last; the page of the output has all of it."""

LONGEST_VALUE = 10_000
"""Characters shown of the arguments, and of the result."""


def show_job(request: Request) -> Response:
    """``GET /job``: the job with ``id``; its arguments and its result where that is enabled."""
    context, identifier = context_of(request), request.query_params.get("id", "")
    details = read_details(context.connection, identifier)
    if details is None:
        raise HTTPException(404, f"RQ has no job {identifier[:200]!r}, or no longer")
    with server_errors():
        progress = read_progress(context.connection, identifier)
    job, now = details.summary, context.now()
    outputs = read_outputs(context.connection, context.app, identifier)
    known = read_attempts(context.connection, context.app, job, outputs)
    has_values = context.access.arguments
    arguments = details.arguments if has_values else None
    return render(
        request,
        "job.html",
        now=now,
        job=job,
        details=details,
        error=None if details.error is None else read_error(details.error),
        progress=progress,
        known=known,
        bars=draw(known.attempts, now),
        relations=read_relations(context.connection, identifier),
        outputs=[(output, output.text[-LONGEST_OUTPUT:]) for output in outputs],
        utc=zone("UTC"),
        has_values=has_values,
        arguments=None if arguments is None else [shown(value) for value in arguments],
        result=shown(known.result) if has_values and known.is_readable else None,
        message=message_of(request),
    )


def shown(value: Any) -> str:
    """``value`` as JSON, or as Python writes it; cut where it is long."""
    try:
        text = json.dumps(value, ensure_ascii=False, indent=2)
    except (TypeError, ValueError):
        text = repr(value)
    text = text.encode(errors="replace").decode()
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
