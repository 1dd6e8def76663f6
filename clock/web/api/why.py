"""Why an occurrence fired, or did not, in the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clock.observe.explanation import EXPLANATION, explain_occurrence, explanation_object
from clock.observe.reading import read_event
from clock.web.api.events import NAMED, TAG
from clock.web.api.instant import INSTANT, read_instant
from clock.web.api.operation import Call, Operation


def _why(call: Call) -> Mapping[str, Any]:
    context, name = call.context, call.path["name"]
    text = call.query.get("at")
    at = None if text is None else int(read_instant("at", text, 400))
    reading = read_event(call.connection, context.app, name, call.now, tolerance=context.tolerance)
    explanation = explain_occurrence(call.connection, context.app, reading, at, call.now)
    return explanation_object(explanation)


OPERATIONS = (
    Operation(
        id="get_event_why",
        method="GET", path=f"{NAMED}/why", tag=TAG, does=_why, errors=(404,),
        summary="Why the occurrence at an instant fired or did not; without one, the last that was "
        "due",
        parameters={"at": INSTANT},
        gives=EXPLANATION,
    ),
)  # fmt: skip
