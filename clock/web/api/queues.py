"""The queues of the API, and the pauses of queues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clock.ledger.pauses import Pause
from clock.ledger.queue_pauses import pause_queue, resume_queue
from clock.observe import objects
from clock.observe.reading import is_queue, read_app_queues
from clock.web.api.operation import Call, Operation
from clock.web.problems import ProblemError

_TAG = "jobs"
_NAMED = "/queues/{name}"


def _queues(call: Call) -> Mapping[str, Any]:
    queues = read_app_queues(call.connection, call.context.app, call.now)
    return {"queues": [objects.queue_object(queue, call.now) for queue in queues]}


def _pause(call: Call) -> Mapping[str, Any]:
    queue = _known(call)
    new_pause = Pause(
        until=None,
        reason=call.body.get("reason", ""),
        by=call.actor.name,
        since=int(call.now),
    )
    paused = objects.pause_object(new_pause)
    with call.audited("pause queue", queue) as change:
        before = pause_queue(call.connection, queue, new_pause)
        change.before, change.after = objects.pause_object(before), paused
    return {"paused": paused}


def _resume(call: Call) -> Mapping[str, Any]:
    queue = _known(call)
    with call.audited("resume queue", queue) as change:
        change.before = objects.pause_object(resume_queue(call.connection, queue))
    return {"was_paused": change.before}


def _known(call: Call) -> str:
    queue = call.path["name"]
    if not is_queue(call.connection, call.context.app, queue):
        raise ProblemError("unknown-queue", "there is no queue with this name")
    return queue


OPERATIONS = (
    Operation(
        id="get_queues",
        method="GET", path="/queues", tag=_TAG, does=_queues,
        summary="Every queue: what waits there, for how long, and which workers listen",
        gives=objects.of(queues=objects.listed(objects.QUEUE)),
    ),
    Operation(
        id="pause_queue",
        method="POST", path=f"{_NAMED}/pause", tag=_TAG, does=_pause, errors=(404, 409),
        summary="Let the workers of rq-clock take no jobs from a queue until it is resumed; "
        "workers of RQ ignore it",
        body={
            "type": "object",
            "properties": {"reason": {"type": "string", "maxLength": 500}},
            "additionalProperties": False,
        },
        gives=objects.of(paused=objects.PAUSE),
    ),
    Operation(
        id="resume_queue",
        method="POST", path=f"{_NAMED}/resume", tag=_TAG, does=_resume, errors=(404,),
        summary="End the pause of a queue",
        gives=objects.of(was_paused=objects.maybe(objects.PAUSE)),
    ),
)  # fmt: skip
