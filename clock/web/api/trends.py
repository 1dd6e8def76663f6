"""What was enqueued, done and failed over time, in the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clock.observe import objects
from clock.observe.trends import Of, Span, read_names, read_trends
from clock.web.api.operation import Call, Operation
from clock.web.api.schema import limit

MOST = 100
"""Queues or events of which one response has the trends."""


def _trends(call: Call) -> Mapping[str, Any]:
    of, span, most = Of(call.query["of"]), Span(call.query["span"]), call.query["limit"]
    if "name" in call.query:
        names = [call.query["name"]]
    else:
        names = read_names(call.connection, call.context.app, of, call.now)
    trends = read_trends(call.connection, call.context.app, of, names[:most], span, call.now)
    return {
        "of": of,
        "span": span,
        "trends": [objects.trend_object(trend) for trend in trends.values()],
        "left_out": max(0, len(names) - most),
    }


OPERATIONS = (
    Operation(
        id="get_trends",
        method="GET", path="/trends", tag="trends", does=_trends,
        summary="What was enqueued, done and failed over time, and how long it waited: of one "
        "queue or event, or of those that come first by name",
        parameters={
            "of": {"type": "string", "enum": [*map(str, Of)], "default": "queue"},
            "name": {"type": "string", "minLength": 1, "maxLength": 500},
            "span": {"type": "string", "enum": [*map(str, Span)], "default": "day"},
            "limit": limit(MOST, 50),
        },
        gives=objects.of(
            of=objects.TEXT, span=objects.TEXT, trends=objects.listed(objects.TREND),
            left_out=objects.COUNT,
        ),
    ),
)  # fmt: skip
