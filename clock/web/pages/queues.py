"""Queues, workers and jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from redis import Redis
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from clock.connection.errors import server_errors
from clock.jobs.progress import read_progress
from clock.jobs.requeue import Filter
from clock.observe.reading import read_app_queues
from clock.observe.rq.job_pages import LARGEST_PAGE, PAGE, Stage, read_jobs
from clock.observe.rq.jobs import JobSummary, read_details, read_errors
from clock.observe.rq.queues import QueueState
from clock.observe.rq.running import read_running
from clock.observe.rq.workers import read_workers
from clock.recurrence.zone import zone
from clock.runs.output import read_outputs
from clock.web.pages.overview import message_of
from clock.web.pages.rendering import context_of, render

SHOWN = 10
"""Failed jobs shown of each queue on the page of all queues, the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A job and its error, a traceback; None where RQ keeps none."""

    job: JobSummary
    error: str | None

    @property
    def last_line(self) -> str:
        """The last line of the traceback: the error itself."""
        lines = (self.error or "").strip().splitlines()
        return lines[-1] if lines else "no error is kept"


def show_queues(request: Request) -> Response:
    """``GET /queues``: the queues, the running jobs, the workers, the failed jobs."""
    context = context_of(request)
    connection, now = context.connection, context.now()
    queues = read_app_queues(connection, context.app, now)
    return render(
        request,
        "queues.html",
        now=now,
        queues=queues,
        running=read_running(connection),
        workers=read_workers(connection),
        failed=[(queue, _failed(connection, queue, now)) for queue in queues if queue.failed],
        message=message_of(request),
    )


def show_jobs(request: Request) -> Response:
    """``GET /jobs``: the jobs of ``queue`` in ``state``, from ``cursor`` on; failed ones can be
    filtered by ``event`` and ``task``.
    """
    context, query = context_of(request), request.query_params
    now, queue = context.now(), query.get("queue", "")
    state = _stage(query.get("state", "queued"))
    which = Filter(queue=queue, event=query.get("event") or None, task=query.get("task") or None)
    is_filtered = which.event is not None or which.task is not None
    limit = LARGEST_PAGE if is_filtered else PAGE
    page = read_jobs(
        context.connection, queue, state, now=now, cursor=query.get("cursor"), limit=limit
    )
    jobs = [job for job in page.jobs if which.fits(job)]
    errors: Sequence[str | None] = [None] * len(jobs)
    if state is Stage.FAILED:
        errors = read_errors(context.connection, [job.id for job in jobs])
    return render(
        request,
        "jobs.html",
        now=now,
        queue=queue,
        state=state,
        states=list(Stage),
        which=which,
        page=page,
        jobs=[Failed(job=job, error=error) for job, error in zip(jobs, errors, strict=True)],
        message=message_of(request),
    )


def show_job(request: Request) -> Response:
    """``GET /job``: the job with ``id``; its arguments where that is enabled."""
    context, identifier = context_of(request), request.query_params.get("id", "")
    details = read_details(context.connection, identifier)
    if details is None:
        raise HTTPException(404, f"RQ has no job {identifier[:200]!r}, or no longer")
    with server_errors():
        progress = read_progress(context.connection, identifier)
    return render(
        request,
        "job.html",
        job=details.summary,
        details=details,
        progress=progress,
        outputs=read_outputs(context.connection, context.app, identifier),
        utc=zone("UTC"),
        has_arguments=context.access.arguments,
        message=message_of(request),
    )


def _failed(connection: Redis, queue: QueueState, now: float) -> list[Failed]:
    jobs = read_jobs(connection, queue.name, Stage.FAILED, now=now, limit=SHOWN).jobs
    errors = read_errors(connection, [job.id for job in jobs])
    return [Failed(job=job, error=error) for job, error in zip(jobs, errors, strict=True)]


def _stage(word: str) -> Stage:
    try:
        return Stage(word)
    except ValueError:
        detail = f"the state must be one of {', '.join(Stage)}, not {word[:40]!r}"
        raise HTTPException(400, detail) from None
