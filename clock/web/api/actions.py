"""The actions on an event over the API: run, pause, resume."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from clock.ledger.descriptions import read_with_rows
from clock.ledger.kept_template import Call as OtherCall
from clock.ledger.manual import run_now
from clock.ledger.pauses import Pause, pause, pause_end, resume
from clock.observe import objects
from clock.recurrence.duration import parse_duration
from clock.schedule.option import Schema, duration_schema
from clock.web.api.events import NAMED, TAG
from clock.web.api.operation import Call, Operation, Reply
from clock.web.auditing import run_details
from clock.web.call_arguments import why_not_allowed
from clock.web.problems import ProblemError

_DURATION: Schema = {"description": 'Seconds, or a string such as "30m".', **duration_schema(1)}


def _run(call: Call) -> Reply:
    name = call.path["name"]
    other = _other_call(call, name) if call.body else None
    with call.audited("run", name) as change:
        job = run_now(call.connection, call.context.app, name, call.now, call.key, other)
        change.after = run_details(job, other)
    return Reply(status=201, body={"job": job})


def _other_call(call: Call, name: str) -> OtherCall:
    """The call of the event's task with the arguments of the body. Raises HTTPException."""
    description = read_with_rows(call.connection, call.context.app).get(name)
    if description is None:
        raise ProblemError("unknown-event", f"there is no event {name!r}")
    why_not = why_not_allowed(call.context, description.task)
    if why_not:
        raise ProblemError("not-allowed", why_not)
    args, kwargs = call.body.get("args", []), call.body.get("kwargs", {})
    return OtherCall(task=description.task, args=args, kwargs=kwargs)


def _pause(call: Call) -> Mapping[str, Any]:
    new_pause = Pause(
        until=_end(call.body, call.now),
        reason=call.body.get("reason", ""),
        by=call.actor.name,
        since=int(call.now),
    )
    name, paused = call.path["name"], objects.pause_object(new_pause)
    with call.audited("pause", name) as change:
        before = pause(call.connection, call.context.app, name, new_pause)
        change.before, change.after = objects.pause_object(before), paused
    return {"paused": paused}


def _end(body: Mapping[str, Any], now: float) -> int | None:
    """When a pause ends, in UTC seconds since 1970; None for never. Raises HTTPException."""
    until, duration = body.get("until"), body.get("for")
    if until is not None and duration is not None:
        raise ProblemError("invalid-value", "give only one of 'until' and 'for'")
    if until is None and duration is None:
        return None
    try:
        if until is None:
            return pause_end(now, now + parse_duration(duration))
        return pause_end(now, datetime.fromisoformat(until))
    except ValueError as error:
        raise ProblemError("invalid-value", f"the end of the pause: {error}") from None


def _resume(call: Call) -> Mapping[str, Any]:
    name = call.path["name"]
    with call.audited("resume", name) as change:
        ended = resume(call.connection, call.context.app, name, call.now)
        change.before = objects.pause_object(ended)
    return {"was_paused": change.before}


OPERATIONS = (
    Operation(
        id="run_event",
        method="POST", path=f"{NAMED}/run", tag=TAG, does=_run, statuses=(201,),
        errors=(404, 409), is_idempotent_by_key=True,
        summary="Enqueue the job of an event now, with its own arguments or, where its task is on "
        "the allow-list, with others; its schedule does not change",
        body={
            "type": "object",
            "properties": {
                "args": {
                    "type": "array", "items": {},
                    "description": "Positional arguments. With args or kwargs, none of the event's "
                    "own are left.",
                },
                "kwargs": {"type": "object", "description": "Keyword arguments."},
            },
            "additionalProperties": False,
        },
        gives=objects.of(job=objects.TEXT),
    ),
    Operation(
        id="pause_event",
        method="POST", path=f"{NAMED}/pause", tag=TAG, does=_pause, errors=(404,),
        summary="Pause an event until the given end, or until it is resumed",
        body={
            "type": "object",
            "properties": {
                "until": {
                    "type": ["string", "null"], "format": "date-time", "maxLength": 50,
                    "description": "The end, an instant with an offset.",
                },
                "for": _DURATION,
                "reason": {"type": "string", "maxLength": 500},
                "by": {
                    "type": "string", "minLength": 1, "maxLength": 100,
                    "description": "Ignored: a pause names who signed in.",
                },
            },
            "additionalProperties": False,
        },
        gives=objects.of(paused=objects.PAUSE),
    ),
    Operation(
        id="resume_event",
        method="POST", path=f"{NAMED}/resume", tag=TAG, does=_resume, errors=(404,),
        summary="End the pause of an event",
        gives=objects.of(was_paused=objects.maybe(objects.PAUSE)),
    ),
)  # fmt: skip
