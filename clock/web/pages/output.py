"""The output of the runs of a job, which may be kept for longer than the job."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from clock.recurrence.zone import zone
from clock.runs.output import read_outputs
from clock.web.pages.rendering import context_of, render


def show_output(request: Request) -> Response:
    """``GET /output``: what the runs of the job with ``id`` printed and logged."""
    context, job = context_of(request), request.query_params.get("id", "")
    outputs = read_outputs(context.connection, context.app, job)
    if not outputs:
        raise HTTPException(404, f"no output of job {job[:200]!r} is kept, or no longer")
    return render(
        request,
        "output.html",
        job=job,
        event=outputs[-1].event,
        outputs=outputs,
        utc=zone("UTC"),
    )
