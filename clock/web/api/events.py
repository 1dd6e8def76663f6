"""The events of the API: their states, their decisions and their upcoming occurrences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException

from clock.observe import objects
from clock.observe.attention_object import STATUS, attention_object
from clock.observe.event_history import HistoryEntry, read_history
from clock.observe.reading import read_attention, read_event, read_status
from clock.observe.selection import ORDERS, Selection
from clock.observe.status import AppStatus, EventStatus
from clock.observe.upcoming import coming, load
from clock.web.api.event_cursor import page_after
from clock.web.api.operation import Call, Operation
from clock.web.api.schema import limit

TAG = "events"
NAMED = "/events/{name}"

FAILED_SINCE = 20
"""Runs of an event that are looked at for since when it has been failing."""


def _status(call: Call, runs: int = 0) -> AppStatus:
    return read_status(
        call.connection, call.context.app, call.now, tolerance=call.context.tolerance, runs=runs
    )


def event_status(call: Call) -> EventStatus:
    """The event in the path of the request. Raises UnknownEventError."""
    return _status(call).event(call.path["name"])


def _health(call: Call) -> Mapping[str, Any]:
    status = _status(call, runs=FAILED_SINCE)
    items = read_attention(call.connection, status)
    return {**objects.status_object(status), "attention": attention_object(items)}


def _events(call: Call) -> Mapping[str, Any]:
    status, query = _status(call, runs=1), call.query
    if "cursor" in query and "limit" not in query:
        raise HTTPException(400, "the parameter 'cursor' needs the parameter 'limit'")
    events = _selected(status, query)
    page, following = page_after(events, query.get("cursor"), query.get("limit", len(events)))
    return {
        "events": [
            objects.event_and_run_object(event, status.runs.get(event.name)) for event in page
        ],
        "total": len(events),
        "next": following,
    }


def _selected(status: AppStatus, query: Mapping[str, Any]) -> list[EventStatus]:
    order = query.get("sort")
    selection = Selection(
        words=query.get("q", ""),
        state=query.get("state"),
        queue=query.get("queue"),
        sort="state" if order is None else order.removeprefix("-"),
        descending=order is not None and order.startswith("-"),
    )
    events = selection.matching(status)
    if order is not None:
        return selection.of_state(events, status)
    return [event for event in events if selection.state in {None, event.state}]


def _event(call: Call) -> Mapping[str, Any]:
    status = _status(call, runs=1)
    name = call.path["name"]
    return objects.event_and_run_object(status.event(name), status.runs.get(name))


def _history(call: Call) -> Mapping[str, Any]:
    app, name = call.context.app, call.path["name"]
    reading = read_event(call.connection, app, name, call.now)
    entries = read_history(call.connection, app, reading, call.now)
    return {"decisions": [_decision_object(entry) for entry in entries]}


def _decision_object(entry: HistoryEntry) -> dict[str, Any]:
    run = entry.run
    return objects.filled(
        DECISION,
        entry.decision,
        kind=entry.decision.kind.name.lower(),
        reason=entry.reason,
        job=entry.job,
        outcome=None if run is None else run.outcome,
        error=None if run is None else run.error,
    )


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
    lateness=objects.MAYBE_SECONDS, reason=objects.TEXT, job=objects.MAYBE_TEXT,
    outcome=objects.MAYBE_TEXT, error=objects.MAYBE_TEXT,
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
        gives=STATUS,
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
        summary="Every event, or a page of those that are asked for, in the order of the schedule "
        "files unless they are sorted",
        parameters={
            "limit": {"type": "integer", "minimum": 1, "maximum": 1000},
            "cursor": {
                "type": "string", "minLength": 1, "maxLength": 3000,
                "description": "The 'next' of the previous page.",
            },
            "sort": {
                "type": "string", "pattern": f"^-?({'|'.join(ORDERS)})$",
                "description": f"One of {', '.join(ORDERS)}; with a minus, downwards.",
            },
            "q": {
                "type": "string", "maxLength": 200,
                "description": "Words that all are in what an event shows.",
            },
            "state": objects.EVENT["properties"]["state"],
            "queue": {"type": "string", "minLength": 1, "maxLength": 200},
        },
        gives=objects.of(
            events=objects.listed(objects.EVENT_AND_RUN), total=objects.COUNT,
            next=objects.MAYBE_TEXT,
        ),
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
