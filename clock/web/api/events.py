"""The events of the API: their states, their decisions and their upcoming occurrences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clock.instant import utc_text
from clock.observe.formatting import utc, utc_exact
from clock.observe.objects import clock_object, conflict_object
from clock.observe.reading import read_status
from clock.observe.status import AppStatus, EventStatus
from clock.observe.upcoming import coming, load
from clock.web.api import shapes
from clock.web.api.operation import Call, Operation
from clock.web.api.schema import limit

TAG = "events"
NAMED = "/events/{name}"


def _status(call: Call, runs: int = 0) -> AppStatus:
    return read_status(
        call.connection, call.context.app, call.now, tolerance=call.context.tolerance, runs=runs
    )


def event_status(call: Call) -> EventStatus:
    """The event in the path of the request. Raises UnknownEventError."""
    return _status(call).event(call.path["name"])


def _health(call: Call) -> Mapping[str, Any]:
    status = _status(call)
    last = status.last_tick()
    return {
        "app": status.app,
        "healthy": status.is_healthy,
        "last_tick": utc_exact(last),
        "clocks": [clock_object(life) for life in status.alive],
        "files_without_a_clock": list(status.missing),
        "overdue": [event.name for event in status.overdue],
        "unreadable": list(status.unreadable),
        "ahead": [event.name for event in status.ahead],
        "conflicts": [conflict_object(conflict) for conflict in status.conflicts],
        "events": len(status.events),
    }


def _events(call: Call) -> Mapping[str, Any]:
    status = _status(call, runs=1)
    state = call.query.get("state")
    return {
        "events": [
            shapes.event_shape(event, status.runs.get(event.name))
            for event in status.events
            if state in {None, event.state}
        ]
    }


def _event(call: Call) -> Mapping[str, Any]:
    status = _status(call, runs=1)
    name = call.path["name"]
    return shapes.event_shape(status.event(name), status.runs.get(name))


def _history(call: Call) -> Mapping[str, Any]:
    status = read_status(call.connection, call.context.app, call.now, decisions=None, runs=0)
    record = status.event(call.path["name"]).record
    return {
        "decisions": [
            {
                "kind": decision.kind.name.lower(),
                "first": utc_text(decision.first),
                "last": utc_text(decision.last),
                "count": decision.count,
                "lateness": decision.lateness,
            }
            for decision in (() if record is None else record.history)
        ]
    }


def _upcoming(call: Call) -> Mapping[str, Any]:
    event = event_status(call)
    return {
        "upcoming": [
            {
                "scheduled_at": utc_text(occurrence.at),
                "mark": occurrence.mark,
                "change": utc(occurrence.change),
            }
            for occurrence in coming(event, call.now, call.query["count"])
        ]
    }


def _load(call: Call) -> Mapping[str, Any]:
    status = _status(call)
    week = load(status.events, call.now, days=call.query["days"])
    return {
        "start": utc_text(week.start),
        "total": week.total,
        "counts": list(week.counts),
        "worst": [
            {"minute": utc_text(minute.at), "count": minute.count, "events": list(minute.events)}
            for minute in week.worst
        ],
        "unknown": list(week.unknown),
    }


_DECISION = shapes.of(
    kind=shapes.TEXT, first=shapes.INSTANT, last=shapes.INSTANT, count=shapes.COUNT,
    lateness=shapes.MAYBE_SECONDS,
)  # fmt: skip
_OCCURRENCE = shapes.of(
    scheduled_at=shapes.INSTANT,
    mark={"type": ["string", "null"], "enum": ["gap", "fold", None]},
    change=shapes.MAYBE_INSTANT,
)
_MINUTE = shapes.of(minute=shapes.INSTANT, count=shapes.COUNT, events=shapes.listed(shapes.TEXT))


OPERATIONS = (
    Operation(
        method="GET", path="/status", tag=TAG, does=_health,
        summary="Whether clocks are alive and everything fired",
        gives=shapes.of(
            app=shapes.TEXT, healthy=shapes.FLAG, last_tick=shapes.MAYBE_INSTANT,
            clocks=shapes.listed(shapes.CLOCK), files_without_a_clock=shapes.listed(shapes.TEXT),
            overdue=shapes.listed(shapes.TEXT), unreadable=shapes.listed(shapes.TEXT),
            ahead=shapes.listed(shapes.TEXT), conflicts=shapes.listed(shapes.CONFLICT),
            events=shapes.COUNT,
        ),
    ),
    Operation(
        method="GET", path="/load", tag=TAG, does=_load,
        summary="How many jobs will be enqueued in each minute from now on",
        parameters={"days": limit(14, 7)},
        gives=shapes.of(
            start=shapes.INSTANT, total=shapes.COUNT, counts=shapes.listed(shapes.COUNT),
            worst=shapes.listed(_MINUTE), unknown=shapes.listed(shapes.TEXT),
        ),
    ),
    Operation(
        method="GET", path="/events", tag=TAG, does=_events,
        summary="Every event, in the order of the schedule files",
        parameters={"state": shapes.EVENT["properties"]["state"]},
        gives=shapes.of(events=shapes.listed(shapes.EVENT)),
    ),
    Operation(
        method="GET", path=f"{NAMED}/history", tag=TAG, does=_history, errors=(404,),
        summary="The last decisions about an event's occurrences, the newest first",
        gives=shapes.of(decisions=shapes.listed(_DECISION)),
    ),
    Operation(
        method="GET", path=f"{NAMED}/upcoming", tag=TAG, does=_upcoming, errors=(404,),
        summary="The upcoming occurrences of an event",
        parameters={"count": limit(200, 10)},
        gives=shapes.of(upcoming=shapes.listed(_OCCURRENCE)),
    ),
    Operation(
        method="GET", path=NAMED, tag=TAG, does=_event, errors=(404,),
        summary="One event",
        gives=shapes.EVENT,
    ),
)  # fmt: skip
