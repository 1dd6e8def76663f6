"""The page of one event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from clock import keys
from clock.decision import Decision, Kind
from clock.errors import RecurrenceError
from clock.ledger.job import job_id
from clock.ledger.pauses import Pause, pause_among, read_pauses_of
from clock.observe.reading import EventReading, read_event
from clock.observe.reasons import sentence
from clock.observe.rq.workers import count_workers
from clock.observe.status import EventStatus
from clock.observe.upcoming import Upcoming, coming
from clock.observe.why import why
from clock.runs.output import read_jobs_with_output
from clock.runs.run import Run
from clock.runs.statistics import statistics
from clock.web.context import Context
from clock.web.pages.overview import message_of
from clock.web.pages.rendering import context_of, render
from clock.web.pages.row import rows_of
from clock.web.pages.timeline import draw

UPCOMING = 8
PLOTTED = 200
WINDOWS: Mapping[str, tuple[str, float]] = {
    "hour": ("an hour", 3600.0),
    "day": ("a day", 86_400.0),
    "week": ("a week", 7 * 86_400.0),
    "all": ("all kept runs", float(keys.RUNS_TTL)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the history: a decision and its reason. ``run`` is the last run, ``job`` the id of
    the job, None if none was enqueued.
    """

    decision: Decision
    reason: str
    run: Run | None
    job: str | None


def show_event(request: Request) -> Response:
    """``GET /event``: the event called ``name``, with the statistics of the last ``window``."""
    context = context_of(request)
    now, name = context.now(), request.query_params.get("name", "")
    window = request.query_params.get("window", "day")
    window = window if window in WINDOWS else "day"
    reading = read_event(context.connection, context.app, name, now, tolerance=context.tolerance)
    event, runs = reading.event, reading.runs
    queue = event.description.queue
    return render(
        request,
        "event.html",
        now=now,
        event=event,
        row=rows_of([event], reading.recent, now)[0],
        upcoming=_upcoming(event, now),
        runs=runs,
        plot=draw(runs[:PLOTTED], event.description.zone),
        statistics=statistics(runs, now - WINDOWS[window][1], now + 60),
        window=window,
        windows={key: words for key, (words, _) in WINDOWS.items()},
        history=_history(context, reading, now),
        with_output=read_jobs_with_output(context.connection, context.app, name),
        has_no_worker=not count_workers(context.connection, [queue])[queue],
        message=message_of(request),
    )


def _upcoming(event: EventStatus, now: float) -> list[Upcoming]:
    if event.next is None:
        return []
    try:
        return coming(event, now, UPCOMING)
    except RecurrenceError:
        return []


def _history(context: Context, reading: EventReading, now: float) -> list[Entry]:
    record, name = reading.event.record, reading.event.name
    if record is None:
        return []
    pauses = read_pauses_of(context.connection, context.app, name)
    by_time: dict[int, Run] = {}
    for run in reading.runs:
        by_time.setdefault(run.scheduled, run)
    return [
        _entry(context.app, reading, decision, pauses, by_time.get(decision.last), now)
        for decision in record.history
    ]


def _entry(
    app: str,
    reading: EventReading,
    decision: Decision,
    pauses: Sequence[Pause],
    run: Run | None,
    now: float,
) -> Entry:
    event, job = reading.event, None if run is None else run.job
    if decision.kind is Kind.MANUAL:
        return Entry(decision=decision, reason=decision.kind.words, run=run, job=job)
    if decision.kind.is_enqueued:
        job = job_id(app, event.name, decision.last)
        return Entry(decision=decision, reason=decision.kind.words, run=run, job=job)
    answer = why(event, reading.lives, decision.last, now)
    earlier = None if answer.earlier is None else job_id(app, event.name, answer.earlier)
    pause = pause_among(pauses, decision.last)
    reason = sentence(event, answer, pause, None, earlier, now)
    return Entry(decision=decision, reason=reason, run=None, job=None)
