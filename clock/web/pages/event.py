"""The page of one event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from clock import keys
from clock.errors import RecurrenceError
from clock.ledger.audit import read_audit_of
from clock.ledger.stored import StoredRow, StoredRows
from clock.observe.attention import Attention, AttentionKind, attention
from clock.observe.error_text import ErrorText, read_error
from clock.observe.event_history import read_history
from clock.observe.failing import Failing, failing, last_success
from clock.observe.reading import EventReading, read_event
from clock.observe.rq.jobs import read_errors
from clock.observe.rq.workers import count_workers
from clock.observe.status import EventStatus
from clock.observe.upcoming import Upcoming, coming
from clock.runs.output import read_jobs_with_output
from clock.runs.statistics import statistics
from clock.web.auditing import shown_entries
from clock.web.context import Context
from clock.web.pages.audit import details_words
from clock.web.pages.overview import message_of
from clock.web.pages.paging import page_of
from clock.web.pages.rendering import context_of, render
from clock.web.pages.row import rows_of
from clock.web.pages.timeline import draw
from clock.web.pages.zone_choice import choice_of

UPCOMING = 8
PLOTTED = 200
RUNS, DECISIONS, ACTIONS = 50, 15, 10
"""Runs, decisions and actions on one page."""

AUDITED = 500
"""Entries of the audit log among which those of an event are looked for."""

WINDOWS: Mapping[str, tuple[str, float]] = {
    "hour": ("an hour", 3600.0),
    "day": ("a day", 86_400.0),
    "week": ("a week", 7 * 86_400.0),
    "all": ("all kept runs", float(keys.RUNS_TTL)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How an event fails. ``text`` is the error of its last run, ``error`` what that says; None
    where RQ does not have it.
    """

    failing: Failing
    text: str | None
    error: ErrorText | None


def show_event(request: Request) -> Response:
    """``GET /event``: the event called ``name``, with the statistics of the last ``window``, and
    the pages ``history`` and ``runs`` of these.
    """
    context, query = context_of(request), request.query_params
    now, name = context.now(), query.get("name", "")
    window = query.get("window", "day")
    window = window if window in WINDOWS else "day"
    reading = read_event(context.connection, context.app, name, now, tolerance=context.tolerance)
    event, runs = reading.event, reading.runs
    zone = choice_of(request).of(event.description.zone)
    history = read_history(context.connection, context.app, reading, now)
    return render(
        request,
        "event.html",
        now=now,
        event=event,
        row=rows_of([event], reading.recent, now, reading.status.missing)[0],
        failure=_failure(context, reading),
        last_success=last_success(runs),
        problems=_problems(context, reading, now),
        stored=_stored(context, event),
        upcoming=_upcoming(event, now),
        plot=draw(runs[:PLOTTED], zone),
        plotted=min(len(runs), PLOTTED),
        runs=page_of(runs, query.get("runs"), RUNS),
        is_table_open="runs" in query,
        statistics=statistics(runs, now - WINDOWS[window][1], now + 60),
        window=window,
        windows={key: words for key, (words, _) in WINDOWS.items()},
        history=page_of(history, query.get("history"), DECISIONS),
        with_output=read_jobs_with_output(context.connection, context.app, name),
        audit=shown_entries(
            context, read_audit_of(context.connection, context.app, name, AUDITED)[:ACTIONS]
        ),
        words=details_words,
        address=_address(request),
        message=message_of(request),
    )


def _failure(context: Context, reading: EventReading) -> Failure | None:
    streak = failing(reading.runs)
    if streak is None:
        return None
    (text,) = read_errors(context.connection, [streak.latest.job])
    error = read_error(text) if text else None
    return Failure(failing=streak, text=text, error=error)


def _problems(context: Context, reading: EventReading, now: float) -> Sequence[Attention]:
    """What else needs attention, but for its failed runs."""
    queue = reading.event.description.queue
    is_idle = not count_workers(context.connection, [queue])[queue]
    items = attention(reading.status, [queue] if is_idle else [], now)
    return [item for item in items if item.kind is not AttentionKind.FAILING or item.run is None]


def _stored(context: Context, event: EventStatus) -> StoredRow | None:
    """The row of an event that people edit."""
    source = event.description.source
    return StoredRows(context.connection, context.app).find(event.name) if source else None


def _upcoming(event: EventStatus, now: float) -> list[Upcoming]:
    if event.next is None:
        return []
    try:
        return coming(event, now, UPCOMING)
    except RecurrenceError:
        return []


def _address(request: Request) -> Mapping[str, Any]:
    """The parameters of this page, for links to other parts of it."""
    kept = ("name", "window", "history", "runs")
    return {name: request.query_params[name] for name in kept if name in request.query_params}
