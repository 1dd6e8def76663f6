"""The schedules of the API: what an application does when, and a hand on it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from clock.errors import UnknownEventError
from clock.instant import utc_text
from clock.ledger.manual import run_now
from clock.ledger.pauses import Pause, pause, resume
from clock.ledger.runs import failing, read_last_runs, read_runs
from clock.ledger.statistics import Spread, Statistics, statistics
from clock.observe.coming import coming, load
from clock.observe.snapshot import Snapshot, read_snapshot
from clock.observe.status import EventStatus, Status, status
from clock.observe.telling import utc, utc_exact
from clock.schedule.duration import LONGEST, parse_duration
from clock.web.api import shapes
from clock.web.api.operation import Call, Operation, Reply
from clock.web.api.problem import ProblemError
from clock.web.api.schema import Schema

_DECISIONS = 4
_TAG = "schedules"
_DURATION: Schema = {
    "description": 'Seconds, or a text such as "30m".',
    "oneOf": [
        {"type": "integer", "minimum": 1, "maximum": LONGEST},
        {"type": "string", "minLength": 1, "maxLength": 50},
    ],
}


def _status(call: Call) -> tuple[Snapshot, Status]:
    snapshot = read_snapshot(call.connection, call.context.app, _DECISIONS)
    return snapshot, status(snapshot, call.now, tolerance=call.context.tolerance)


def _with_runs(call: Call) -> tuple[Status, Mapping[str, Any]]:
    """The status, with what the last runs say, in two round trips; and these runs."""
    snapshot = read_snapshot(call.connection, call.context.app, _DECISIONS)
    runs = read_last_runs(call.connection, call.context.app, snapshot.descriptions)
    return status(snapshot, call.now, tolerance=call.context.tolerance, failing=failing(runs)), runs


def _event(call: Call) -> EventStatus:
    _, found = _status(call)
    name = call.path["name"]
    for each in (*found.events, *found.removed):
        if each.name == name:
            return each
    raise UnknownEventError(f"there is no event {name!r}")


def _health(call: Call) -> Mapping[str, Any]:
    _, found = _status(call)
    last = found.last_tick()
    return {
        "app": found.app,
        "healthy": found.is_healthy,
        "last_tick": utc_exact(last),
        "clocks": [shapes.clock_shape(life) for life in found.alive],
        "files_without_a_clock": list(found.missing),
        "overdue": [each.name for each in found.overdue],
        "events": len(found.events),
    }


def _schedules(call: Call) -> Mapping[str, Any]:
    found, runs = _with_runs(call)
    wanted = call.query.get("state")
    return {
        "schedules": [
            shapes.schedule_shape(each, runs.get(each.name))
            for each in found.events
            if wanted in {None, each.state}
        ]
    }


def _schedule(call: Call) -> Mapping[str, Any]:
    found, runs = _with_runs(call)
    name = call.path["name"]
    for each in (*found.events, *found.removed):
        if each.name == name:
            return shapes.schedule_shape(each, runs.get(name))
    raise UnknownEventError(f"there is no event {name!r}")


def _runs(call: Call) -> Mapping[str, Any]:
    event = _event(call)
    found = read_runs(call.connection, call.context.app, event.name, call.query["limit"])
    return {"runs": [shapes.run_shape(run) for run in found]}


def _statistics(call: Call) -> Mapping[str, Any]:
    event, window = _event(call), call.query["window"]
    runs = read_runs(call.connection, call.context.app, event.name)
    found = statistics(runs, call.now - window, call.now)
    return {"event": event.name, "window": window, **_statistics_shape(found)}


def _statistics_shape(found: Statistics) -> dict[str, Any]:
    def spread(each: Spread) -> dict[str, Any]:
        return {"p50": each.p50, "p95": each.p95, "maximum": each.maximum}

    return {
        "runs": found.runs,
        "succeeded": found.succeeded,
        "failures": found.failures,
        "skipped": found.skipped,
        "retried": found.retried,
        "abandoned": found.abandoned,
        "stopped": found.stopped,
        "duration": spread(found.duration),
        "wait": spread(found.wait),
        "lateness": spread(found.lateness),
    }


def _history(call: Call) -> Mapping[str, Any]:
    snapshot = read_snapshot(call.connection, call.context.app, None)
    name = call.path["name"]
    if name not in snapshot.descriptions:
        raise UnknownEventError(f"there is no event {name!r}")
    record = snapshot.records.get(name)
    return {
        "decisions": [
            {
                "kind": each.kind.name.lower(),
                "first": utc_text(each.first),
                "last": utc_text(each.last),
                "count": each.count,
                "lateness": each.lateness,
            }
            for each in (() if record is None else record.history)
        ]
    }


def _coming(call: Call) -> Mapping[str, Any]:
    event = _event(call)
    return {
        "occurrences": [
            {
                "scheduled_at": utc_text(each.at),
                "mark": each.mark,
                "change": utc(each.change),
            }
            for each in coming(event, call.now, call.query["count"])
        ]
    }


def _load(call: Call) -> Mapping[str, Any]:
    _, found = _status(call)
    week = load(found.events, call.now, days=call.query["days"])
    return {
        "start": utc_text(week.start),
        "total": week.total,
        "counts": list(week.counts),
        "worst": [
            {"minute": utc_text(each.at), "count": each.count, "events": list(each.events)}
            for each in week.worst
        ],
        "unknown": list(week.unknown),
    }


def _run(call: Call) -> Reply:
    job = run_now(call.connection, call.context.app, call.path["name"], call.now, call.key)
    return Reply(status=201, body={"job": job})


def _pause(call: Call) -> Mapping[str, Any]:
    said = call.body
    made = Pause(
        until=_end(said, call.now),
        reason=said.get("reason", ""),
        by=said.get("by", call.by),
        since=int(call.now),
    )
    pause(call.connection, call.context.app, call.path["name"], made)
    return {"paused": shapes.pause_shape(made)}


def _end(said: Mapping[str, Any], now: float) -> int | None:
    """When a pause ends, None for never. Raises ProblemError."""
    until, lasts = said.get("until"), said.get("for")
    if until is not None and lasts is not None:
        raise ProblemError(422, "say one of 'until' and 'for'")
    try:
        if lasts is not None:
            end: float = now + parse_duration(lasts)
        elif until is not None:
            found = datetime.fromisoformat(until)
            if found.tzinfo is None:
                raise ValueError("it has no offset, as in 2026-11-21T18:00Z")
            end = found.astimezone(UTC).timestamp()
        else:
            return None
    except (ValueError, OverflowError) as error:
        raise ProblemError(422, f"the end of the pause cannot be read: {error}") from None
    if end <= now:
        raise ProblemError(422, "the end of the pause is past")
    return int(end)


def _resume(call: Call) -> Mapping[str, Any]:
    ended = resume(call.connection, call.context.app, call.path["name"], call.now)
    return {"was_paused": shapes.pause_shape(ended)}


_SPREAD = shapes.of(
    p50=shapes.MAYBE_SECONDS, p95=shapes.MAYBE_SECONDS, maximum=shapes.MAYBE_SECONDS
)
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
_NAMED = "/schedules/{name}"


def _limit(most: int, default: int) -> Schema:
    return {"type": "integer", "minimum": 1, "maximum": most, "default": default}


OPERATIONS = (
    Operation(
        method="GET", path="/status", tag=_TAG, does=_health,
        summary="Whether clocks are alive and everything fired",
        gives=shapes.of(
            app=shapes.TEXT, healthy=shapes.FLAG, last_tick=shapes.MAYBE_INSTANT,
            clocks=shapes.listed(shapes.CLOCK), files_without_a_clock=shapes.listed(shapes.TEXT),
            overdue=shapes.listed(shapes.TEXT), events=shapes.COUNT,
        ),
    ),
    Operation(
        method="GET", path="/load", tag=_TAG, does=_load,
        summary="How many jobs are to be enqueued in each minute from now on",
        parameters={"days": _limit(14, 7)},
        gives=shapes.of(
            start=shapes.INSTANT, total=shapes.COUNT, counts=shapes.listed(shapes.COUNT),
            worst=shapes.listed(_MINUTE), unknown=shapes.listed(shapes.TEXT),
        ),
    ),
    Operation(
        method="GET", path="/schedules", tag=_TAG, does=_schedules,
        summary="Every event, in the order of the schedule files",
        parameters={"state": shapes.SCHEDULE["properties"]["state"]},
        gives=shapes.of(schedules=shapes.listed(shapes.SCHEDULE)),
    ),
    Operation(
        method="GET", path=f"{_NAMED}/runs", tag=_TAG, does=_runs, errors=(404,),
        summary="The last runs of an event, the one that ended last first",
        parameters={"limit": _limit(1000, 100)},
        gives=shapes.of(runs=shapes.listed(shapes.RUN)),
    ),
    Operation(
        method="GET", path=f"{_NAMED}/statistics", tag=_TAG, does=_statistics, errors=(404,),
        summary="What the runs of an event have in common, of those that are kept",
        parameters={"window": _limit(35 * 86_400, 86_400)},
        gives=shapes.of(
            event=shapes.TEXT, window=shapes.COUNT, runs=shapes.COUNT, succeeded=shapes.COUNT,
            failures=shapes.COUNT, skipped=shapes.COUNT, retried=shapes.COUNT,
            abandoned=shapes.COUNT, stopped=shapes.COUNT, duration=_SPREAD, wait=_SPREAD,
            lateness=_SPREAD,
        ),
    ),
    Operation(
        method="GET", path=f"{_NAMED}/history", tag=_TAG, does=_history, errors=(404,),
        summary="The last decisions about an event's occurrences, the newest first",
        gives=shapes.of(decisions=shapes.listed(_DECISION)),
    ),
    Operation(
        method="GET", path=f"{_NAMED}/coming", tag=_TAG, does=_coming, errors=(404,),
        summary="The coming occurrences of an event",
        parameters={"count": _limit(200, 10)},
        gives=shapes.of(occurrences=shapes.listed(_OCCURRENCE)),
    ),
    Operation(
        method="POST", path=f"{_NAMED}/run", tag=_TAG, does=_run, statuses=(201,),
        errors=(404, 409), is_idempotent_by_key=True,
        summary="Enqueue the job of an event now; the schedule stays as it is",
        gives=shapes.of(job=shapes.TEXT),
    ),
    Operation(
        method="POST", path=f"{_NAMED}/pause", tag=_TAG, does=_pause, errors=(404,),
        summary="Let no occurrence of an event fire until the end, or until it is resumed",
        body={
            "type": "object",
            "properties": {
                "until": {
                    "type": ["string", "null"], "format": "date-time", "maxLength": 50,
                    "description": "The end, an instant with an offset.",
                },
                "for": _DURATION,
                "reason": {"type": "string", "maxLength": 500},
                "by": {"type": "string", "minLength": 1, "maxLength": 100},
            },
            "additionalProperties": False,
        },
        gives=shapes.of(paused=shapes.PAUSE),
    ),
    Operation(
        method="POST", path=f"{_NAMED}/resume", tag=_TAG, does=_resume, errors=(404,),
        summary="Let an event fire again",
        gives=shapes.of(was_paused=shapes.MAYBE_PAUSE),
    ),
    Operation(
        method="GET", path=_NAMED, tag=_TAG, does=_schedule, errors=(404,),
        summary="One event",
        gives=shapes.SCHEDULE,
    ),
)  # fmt: skip
