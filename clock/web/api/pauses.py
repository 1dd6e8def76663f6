"""The pauses of events in the API, in effect and ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clock.ledger.pauses import read_pauses, read_pauses_of
from clock.observe import objects
from clock.observe.status import pause_at
from clock.web.api.events import NAMED, TAG, event_status
from clock.web.api.operation import Call, Operation


def _pauses(call: Call) -> Mapping[str, Any]:
    pauses = read_pauses(call.connection, call.context.app)
    return {
        "pauses": [
            objects.filled(PAUSE_OF_EVENT, pause, event=event)
            for event, pause in sorted(pauses.items())
            if pause_at(pause, call.now) is not None
        ]
    }


def _pauses_of_event(call: Call) -> Mapping[str, Any]:
    event = event_status(call)
    pauses = read_pauses_of(call.connection, call.context.app, event.name)
    return {"pauses": [objects.pause_object(pause) for pause in pauses]}


PAUSE_OF_EVENT = objects.of(event=objects.TEXT, **objects.PAUSE["properties"])

OPERATIONS = (
    Operation(
        id="get_pauses",
        method="GET", path="/pauses", tag=TAG, does=_pauses,
        summary="The events that are paused now",
        gives=objects.of(pauses=objects.listed(PAUSE_OF_EVENT)),
    ),
    Operation(
        id="get_event_pauses",
        method="GET", path=f"{NAMED}/pauses", tag=TAG, does=_pauses_of_event, errors=(404,),
        summary="The known pauses of an event, the latest first, each with its real end",
        gives=objects.of(pauses=objects.listed(objects.PAUSE)),
    ),
)  # fmt: skip
