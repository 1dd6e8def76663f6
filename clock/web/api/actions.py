"""A hand on a schedule, through the API: run, pause, resume."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from clock.ledger.manual import run_now
from clock.ledger.pauses import Pause, pause, pause_end, resume
from clock.observe.objects import pause_object
from clock.recurrence.duration import parse_duration
from clock.schedule.option import duration_schema
from clock.web.api import shapes
from clock.web.api.operation import Call, Operation, Reply
from clock.web.api.problem import ProblemError
from clock.web.api.schedules import NAMED, TAG
from clock.web.api.schema import Schema

_DURATION: Schema = {"description": 'Seconds, or a string such as "30m".', **duration_schema(1)}


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
    return {"paused": pause_object(made)}


def _end(said: Mapping[str, Any], now: float) -> int | None:
    """When a pause ends, None for never. Raises ProblemError."""
    until, lasts = said.get("until"), said.get("for")
    if until is not None and lasts is not None:
        raise ProblemError(422, "say one of 'until' and 'for'")
    if until is None and lasts is None:
        return None
    try:
        if until is None:
            return pause_end(now, now + parse_duration(lasts))
        return pause_end(now, datetime.fromisoformat(until))
    except ValueError as error:
        raise ProblemError(422, f"the end of the pause: {error}") from None


def _resume(call: Call) -> Mapping[str, Any]:
    ended = resume(call.connection, call.context.app, call.path["name"], call.now)
    return {"was_paused": pause_object(ended)}


OPERATIONS = (
    Operation(
        method="POST", path=f"{NAMED}/run", tag=TAG, does=_run, statuses=(201,),
        errors=(404, 409), is_idempotent_by_key=True,
        summary="Enqueue the job of an event now; the schedule stays as it is",
        gives=shapes.of(job=shapes.TEXT),
    ),
    Operation(
        method="POST", path=f"{NAMED}/pause", tag=TAG, does=_pause, errors=(404,),
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
        method="POST", path=f"{NAMED}/resume", tag=TAG, does=_resume, errors=(404,),
        summary="Let an event fire again",
        gives=shapes.of(was_paused=shapes.MAYBE_PAUSE),
    ),
)  # fmt: skip
