"""The page of one event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response

from clock import keys
from clock.decision import Decision, Kind
from clock.errors import RecurrenceError, UnknownEventError
from clock.ledger.job import job_id
from clock.ledger.pauses import Pause, pause_among, read_pauses_of
from clock.ledger.records import find_record
from clock.observe.reasons import sentence
from clock.observe.recent_runs import RecentRuns
from clock.observe.rq.workers import count_workers
from clock.observe.snapshot import Snapshot, read_snapshot
from clock.observe.status import EventStatus, status
from clock.observe.upcoming import Upcoming, coming
from clock.observe.why import why
from clock.runs.records import read_runs
from clock.runs.run import FAILURES, Run, RunOutcome
from clock.runs.statistics import statistics
from clock.web.context import Context
from clock.web.pages.overview import said_of
from clock.web.pages.rendering import context_of, render
from clock.web.pages.row import rows_of
from clock.web.pages.timeline import draw

COMING = 8
PLOTTED = 200
WINDOWS: Mapping[str, tuple[str, float]] = {
    "hour": ("an hour", 3600.0),
    "day": ("a day", 86_400.0),
    "week": ("a week", 7 * 86_400.0),
    "all": ("all that is kept", float(keys.RUNS_TTL)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the history: what was decided, of how many, and why; ``run`` is the last one of it,
    ``job`` the id of its job, None where none was enqueued.
    """

    decision: Decision
    reason: str
    run: Run | None
    job: str | None


def show_event(request: Request) -> Response:
    """``GET /event``: ``name`` is the event's, ``window`` that of the statistics."""
    context = context_of(request)
    now, name = context.now(), request.query_params.get("name", "")
    window = request.query_params.get("window", "day")
    window = window if window in WINDOWS else "day"
    snapshot, runs = _read(context, name)
    event = _status(snapshot, runs, now, context.tolerance)
    queue = event.description.queue
    return render(
        request,
        "event.html",
        now=now,
        event=event,
        row=rows_of([event], recent_of(runs), now)[0],
        coming=_coming(event, now),
        runs=runs,
        plot=draw(runs[:PLOTTED], event.description.zone),
        statistics=statistics(runs, now - WINDOWS[window][1], now + 60),
        window=window,
        windows={key: words for key, (words, _) in WINDOWS.items()},
        history=_history(context, snapshot, event, runs, now),
        is_deserted=not count_workers(context.connection, [queue])[queue],
        said=said_of(request),
    )


def _read(context: Context, name: str) -> tuple[Snapshot, list[Run]]:
    """A snapshot of the one event, with its whole history, and its runs."""
    connection = context.connection
    record = find_record(connection, context.app, name)
    snapshot = read_snapshot(connection, context.app, 1)
    if name not in snapshot.descriptions:
        raise UnknownEventError(f"no clock of this release has run {name!r} yet")
    one = replace(snapshot, descriptions={name: snapshot.descriptions[name]})
    records = {} if record is None else {name: record}
    return replace(one, records=records), read_runs(connection, context.app, name)


def recent_of(runs: Sequence[Run]) -> dict[str, RecentRuns]:
    """What a row shows of its event's runs."""
    outcomes: dict[int, RunOutcome] = {}
    for run in runs:
        outcomes.setdefault(run.scheduled, run.outcome)
    return {run.event: RecentRuns(newest=run, outcomes=outcomes) for run in runs[:1]}


def _status(snapshot: Snapshot, runs: Sequence[Run], now: float, tolerance: float) -> EventStatus:
    (name,) = snapshot.descriptions
    failing = [name] if runs and runs[0].outcome in FAILURES else []
    found = status(snapshot, now, tolerance=tolerance, failing=failing)
    return (*found.events, *found.removed)[0]


def _coming(event: EventStatus, now: float) -> list[Upcoming]:
    if event.next is None:
        return []
    try:
        return coming(event, now, COMING)
    except RecurrenceError:
        return []


def _history(
    context: Context, snapshot: Snapshot, event: EventStatus, runs: Sequence[Run], now: float
) -> list[Entry]:
    record = event.record
    if record is None:
        return []
    pauses = read_pauses_of(context.connection, context.app, event.name)
    by_time: dict[int, Run] = {}
    for run in runs:
        by_time.setdefault(run.scheduled, run)
    return [
        _entry(context.app, snapshot, event, each, pauses, by_time.get(each.last), now)
        for each in record.history
    ]


def _entry(
    app: str,
    snapshot: Snapshot,
    event: EventStatus,
    decision: Decision,
    pauses: Sequence[Pause],
    run: Run | None,
    now: float,
) -> Entry:
    job = None if run is None else run.job
    if decision.kind is Kind.MANUAL:
        return Entry(decision=decision, reason=decision.kind.words, run=run, job=job)
    if decision.kind.is_enqueued:
        job = job_id(app, event.name, decision.last)
        return Entry(decision=decision, reason=decision.kind.words, run=run, job=job)
    answer = why(event, snapshot.lives, decision.last, now)
    earlier = None if answer.earlier is None else job_id(app, event.name, answer.earlier)
    pause = pause_among(pauses, decision.last)
    reason = sentence(event, answer, pause, None, earlier, now)
    return Entry(decision=decision, reason=reason, run=None, job=None)
