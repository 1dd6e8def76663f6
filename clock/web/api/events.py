"""The events of the API: their states, their decisions and their upcoming occurrences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clock.observe import objects
from clock.observe.reading import read_status
from clock.observe.status import AppStatus, EventStatus
from clock.observe.upcoming import coming, load
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
    return objects.status_object(_status(call))


def _events(call: Call) -> Mapping[str, Any]:
    status = _status(call, runs=1)
    state = call.query.get("state")
    return {
        "events": [
            objects.event_and_run_object(event, status.runs.get(event.name))
            for event in status.events
            if state in {None, event.state}
        ]
    }


def _event(call: Call) -> Mapping[str, Any]:
    status = _status(call, runs=1)
    name = call.path["name"]
    return objects.event_and_run_object(status.event(name), status.runs.get(name))


def _history(call: Call) -> Mapping[str, Any]:
    status = read_status(call.connection, call.context.app, call.now, decisions=None, runs=0)
    record = status.event(call.path["name"]).record
    return {
        "decisions": [
            objects.filled(DECISION, decision, kind=decision.kind.name.lower())
            for decision in (() if record is None else record.history)
        ]
    }


def _upcoming(call: Call) -> Mapping[str, Any]:
    event = event_status(call)
    return {
        "upcoming": [
            objects.filled(OCCURRENCE, occurrence, scheduled_at=occurrence.at)
            for occurrence in coming(event, call.now, call.query["count"])
        ]
    }


def _load(call: Call) -> Mapping[str, Any]:
    status = _status(call)
    week = load(status.events, call.now, days=call.query["days"])
    worst = [objects.filled(MINUTE, minute, minute=minute.at) for minute in week.worst]
    return objects.filled(_LOAD, week, worst=worst)


DECISION = objects.of(
    kind=objects.TEXT, first=objects.INSTANT, last=objects.INSTANT, count=objects.COUNT,
    lateness=objects.MAYBE_SECONDS,
)  # fmt: skip
OCCURRENCE = objects.of(
    scheduled_at=objects.INSTANT,
    mark={"type": ["string", "null"], "enum": ["gap", "fold", None]},
    change=objects.MAYBE_INSTANT,
)
MINUTE = objects.of(
    minute=objects.INSTANT, count=objects.COUNT, events=objects.listed(objects.TEXT)
)
_LOAD = objects.of(
    start=objects.INSTANT, total=objects.COUNT, counts=objects.listed(objects.COUNT),
    worst=objects.listed(MINUTE), unknown=objects.listed(objects.TEXT),
)  # fmt: skip

OPERATIONS = (
    Operation(
        id="get_status",
        method="GET", path="/status", tag=TAG, does=_health,
        summary="Whether clocks are alive and everything fired",
        gives=objects.STATUS,
    ),
    Operation(
        id="get_load",
        method="GET", path="/load", tag=TAG, does=_load,
        summary="How many jobs will be enqueued in each minute from now on",
        parameters={"days": limit(14, 7)},
        gives=_LOAD,
    ),
    Operation(
        id="get_events",
        method="GET", path="/events", tag=TAG, does=_events,
        summary="Every event, in the order of the schedule files",
        parameters={"state": objects.EVENT["properties"]["state"]},
        gives=objects.of(events=objects.listed(objects.EVENT_AND_RUN)),
    ),
    Operation(
        id="get_event_history",
        method="GET", path=f"{NAMED}/history", tag=TAG, does=_history, errors=(404,),
        summary="The last decisions about an event's occurrences, the newest first",
        gives=objects.of(decisions=objects.listed(DECISION)),
    ),
    Operation(
        id="get_event_upcoming",
        method="GET", path=f"{NAMED}/upcoming", tag=TAG, does=_upcoming, errors=(404,),
        summary="The upcoming occurrences of an event",
        parameters={"count": limit(200, 10)},
        gives=objects.of(upcoming=objects.listed(OCCURRENCE)),
    ),
    Operation(
        id="get_event",
        method="GET", path=NAMED, tag=TAG, does=_event, errors=(404,),
        summary="One event",
        gives=objects.EVENT_AND_RUN,
    ),
)  # fmt: skip
