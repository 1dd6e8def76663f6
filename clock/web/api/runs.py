"""The runs of an event in the API, and their statistics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clock.runs.records import read_runs
from clock.runs.statistics import Spread, Statistics, statistics
from clock.web.api import shapes
from clock.web.api.events import NAMED, TAG, event_status
from clock.web.api.operation import Call, Operation
from clock.web.api.schema import limit


def _runs(call: Call) -> Mapping[str, Any]:
    event = event_status(call)
    runs = read_runs(call.connection, call.context.app, event.name, call.query["limit"])
    return {"runs": [shapes.run_shape(run) for run in runs]}


def _statistics(call: Call) -> Mapping[str, Any]:
    event, window = event_status(call), call.query["window"]
    runs = read_runs(call.connection, call.context.app, event.name)
    computed = statistics(runs, call.now - window, call.now)
    return {"event": event.name, "window": window, **_statistics_shape(computed)}


def _statistics_shape(computed: Statistics) -> dict[str, Any]:
    def shape(spread: Spread) -> dict[str, Any]:
        return {"p50": spread.p50, "p95": spread.p95, "maximum": spread.maximum}

    return {
        "runs": computed.runs,
        "succeeded": computed.succeeded,
        "failures": computed.failures,
        "skipped": computed.skipped,
        "retried": computed.retried,
        "abandoned": computed.abandoned,
        "stopped": computed.stopped,
        "duration": shape(computed.duration),
        "wait": shape(computed.wait),
        "lateness": shape(computed.lateness),
    }


_SPREAD = shapes.of(
    p50=shapes.MAYBE_SECONDS, p95=shapes.MAYBE_SECONDS, maximum=shapes.MAYBE_SECONDS
)

OPERATIONS = (
    Operation(
        method="GET", path=f"{NAMED}/runs", tag=TAG, does=_runs, errors=(404,),
        summary="The last runs of an event, the one that ended last first",
        parameters={"limit": limit(1000, 100)},
        gives=shapes.of(runs=shapes.listed(shapes.RUN)),
    ),
    Operation(
        method="GET", path=f"{NAMED}/statistics", tag=TAG, does=_statistics, errors=(404,),
        summary="Statistics of the kept runs of an event",
        parameters={"window": limit(35 * 86_400, 86_400)},
        gives=shapes.of(
            event=shapes.TEXT, window=shapes.COUNT, runs=shapes.COUNT, succeeded=shapes.COUNT,
            failures=shapes.COUNT, skipped=shapes.COUNT, retried=shapes.COUNT,
            abandoned=shapes.COUNT, stopped=shapes.COUNT, duration=_SPREAD, wait=_SPREAD,
            lateness=_SPREAD,
        ),
    ),
)  # fmt: skip
