"""Reading the ledger: an application, one event, its queues, the last decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from redis import Redis

from clock import keys
from clock.connection.errors import server_errors
from clock.decision import Decision, Kind
from clock.errors import UnknownEventError
from clock.ledger.clocks import Life
from clock.ledger.descriptions import read_with_rows
from clock.ledger.job import job_id
from clock.ledger.manual_runs import read_manual_runs
from clock.ledger.queue_pauses import read_queue_pauses
from clock.ledger.records import find_record, parse_records
from clock.ledger.sources import read_refused
from clock.ledger.unreadable import execute
from clock.observe.attention import Attention, attention
from clock.observe.last_errors import read_last_errors
from clock.observe.recent_runs import (
    RecentRuns,
    parse_recent_runs,
    read_last_runs,
    read_recent_runs,
)
from clock.observe.rq.queues import QueueState, queue_names, read_queues
from clock.observe.rq.workers import count_workers
from clock.observe.snapshot import read_snapshot
from clock.observe.status import AppStatus, EventStatus, status
from clock.recurrence.zone import Zone, zone
from clock.runs.records import read_runs
from clock.runs.run import Run
from clock.settings import TOLERANCE

DECISIONS = 4
"""Decisions read of each event: the last one, and the last that fired if it is among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventReading:
    """One event with its whole history, its ``runs``, newest first, and all known clocks.

    ``status`` is that of the application as if this were its only event. ``recent`` is the part of
    the runs that a row shows, by event.
    """

    event: EventStatus
    status: AppStatus
    runs: Sequence[Run]
    recent: Mapping[str, RecentRuns]
    lives: Sequence[Life]


class EventDecision(NamedTuple):
    """A decision about an event, whose zone is UTC where its clock has not described it; the id of
    its ``job``, where it has one, and the last ``run`` of that, where a worker recorded it.
    """

    event: str
    zone: Zone
    decision: Decision
    job: str | None = None
    run: Run | None = None


def read_decisions(
    connection: Redis, app: str, count: int, event: str | None = None
) -> list[EventDecision]:
    """The last ``count`` decisions about ``event``, or about all events of ``app``, latest first.

    Raises UnknownEventError, and ServerError.
    """
    if event is not None:
        find_record(connection, app, event)
    snapshot = read_snapshot(connection, app, count)
    described = snapshot.descriptions
    decisions = [
        EventDecision(name, described[name].zone if name in described else zone("UTC"), decision)
        for name, record in snapshot.records.items()
        if event in {None, name}
        for decision in record.history
    ]
    newest = sorted(decisions, key=lambda entry: entry.decision.last, reverse=True)[:count]
    return _with_jobs(connection, app, newest)


def _with_jobs(
    connection: Redis, app: str, decisions: Sequence[EventDecision]
) -> list[EventDecision]:
    manual = {entry.event for entry in decisions if entry.decision.kind is Kind.MANUAL}
    jobs = read_manual_runs(connection, app, manual)
    runs = read_last_runs(connection, app, {entry.event for entry in decisions})
    complete = []
    for entry in decisions:
        decision = entry.decision
        if decision.kind.is_enqueued:
            job: str | None = job_id(app, entry.event, decision.last)
        else:
            of_second = jobs.get(entry.event, {}).get(decision.last)
            job = of_second.pop(0) if of_second and decision.kind is Kind.MANUAL else None
        run = None if job is None else runs.get(job)
        complete.append(entry._replace(job=job, run=run))
    return complete


def read_status(
    connection: Redis,
    app: str,
    now: float,
    *,
    tolerance: float = TOLERANCE,
    decisions: int | None = DECISIONS,
    runs: int = 1,
) -> AppStatus:
    """The status of ``app`` at ``now`` (UTC seconds since 1970), in two round trips.

    An event is overdue from ``tolerance`` seconds on. Of each event the newest ``decisions`` (None
    for all) and ``runs`` are read; without runs it is one round trip, and no event is known to
    fail. Raises ServerError.
    """
    snapshot = read_snapshot(connection, app, decisions)
    recent = read_recent_runs(connection, app, snapshot.descriptions, runs) if runs else {}
    return status(snapshot, now, tolerance=tolerance, runs=recent)


def read_attention(connection: Redis, status: AppStatus) -> tuple[Attention, ...]:
    """What needs attention by ``status``, in four round trips at most; see ``attention``.

    Raises ServerError.
    """
    queues = [event.description.queue for event in status.events if event.description.enabled]
    workers = count_workers(connection, queues)
    return attention(
        status,
        sorted(queue for queue, count in workers.items() if count == 0),
        status.now,
        errors=read_last_errors(connection, status),
    )


def read_recent(
    connection: Redis, app: str, events: Sequence[EventStatus], count: int
) -> tuple[list[EventStatus], Mapping[str, RecentRuns]]:
    """``events`` with the newest ``count`` decisions of each, and as many runs by event, in one
    round trip: what takes too long to read of all events. Raises ServerError.
    """
    names, key = [event.name for event in events], keys.decided(app)
    if not names:
        return [], {}
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        pipeline.hmget(key, names)
        for name in names:
            pipeline.lrange(keys.runs(app, name), 0, count - 1)
        lines, *runs = execute(pipeline)
    known = {name: line for name, line in zip(names, lines or (), strict=bool(lines)) if line}
    records = parse_records(app, known, count)
    return (
        [replace(event, record=records.get(event.name, event.record)) for event in events],
        parse_recent_runs(app, names, runs),
    )


def read_event(
    connection: Redis, app: str, name: str, now: float, *, tolerance: float = TOLERANCE
) -> EventReading:
    """One event of ``app`` at ``now`` (UTC seconds since 1970), in four round trips.

    Raises UnknownEventError, and ServerError.
    """
    refused = read_refused(connection, app)
    record = None if name in refused else find_record(connection, app, name)
    snapshot = read_snapshot(connection, app, 1)
    if name not in snapshot.descriptions:
        raise UnknownEventError(f"no clock of this release has run {name!r} yet; start it once")
    one = replace(
        snapshot,
        descriptions={name: snapshot.descriptions[name]},
        records={} if record is None else {name: record},
    )
    runs = read_runs(connection, app, name)
    recent = {name: RecentRuns.of(runs)} if runs else {}
    app_status = status(one, now, tolerance=tolerance, runs=recent)
    return EventReading(
        event=app_status.event(name),
        status=app_status,
        runs=runs,
        recent=recent,
        lives=snapshot.lives,
    )


def read_app_queues(connection: Redis, app: str, now: float) -> list[QueueState]:
    """Every queue that RQ knows or an event of ``app`` uses, by name, at ``now`` (UTC seconds since
    1970). One round trip more than ``read_queues``. Raises ServerError.
    """
    return read_queues(connection, now, _queues_of_events(connection, app))


def is_queue(connection: Redis, app: str, name: str) -> bool:
    """Whether ``read_app_queues`` lists a queue called ``name``. Raises ServerError."""
    if name in queue_names(connection) or name in read_queue_pauses(connection):
        return True
    return name in _queues_of_events(connection, app)


def _queues_of_events(connection: Redis, app: str) -> set[str]:
    descriptions = read_with_rows(connection, app).values()
    return {description.queue for description in descriptions if description.removed is None}
