"""The runs of an event in the API, and their statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from clock.observe import objects
from clock.runs.records import read_runs
from clock.runs.statistics import statistics
from clock.web.api.events import NAMED, TAG, event_status
from clock.web.api.operation import Call, Operation
from clock.web.api.schema import limit


def _runs(call: Call) -> Mapping[str, Any]:
    event = event_status(call)
    runs = read_runs(call.connection, call.context.app, event.name, call.query["limit"])
    return {"runs": [objects.run_object(run) for run in runs]}


def _statistics(call: Call) -> Mapping[str, Any]:
    event, window = event_status(call), call.query["window"]
    runs = read_runs(call.connection, call.context.app, event.name)
    computed = statistics(runs, call.now - window, call.now)
    return {"event": event.name, "window": window, **asdict(computed)}


_SPREAD = objects.of(
    p50=objects.MAYBE_SECONDS, p95=objects.MAYBE_SECONDS, maximum=objects.MAYBE_SECONDS
)

OPERATIONS = (
    Operation(
        id="get_event_runs",
        method="GET", path=f"{NAMED}/runs", tag=TAG, does=_runs, errors=(404,),
        summary="The last runs of an event, the one that ended last first",
        parameters={"limit": limit(1000, 100)},
        gives=objects.of(runs=objects.listed(objects.RUN)),
    ),
    Operation(
        id="get_event_statistics",
        method="GET", path=f"{NAMED}/statistics", tag=TAG, does=_statistics, errors=(404,),
        summary="Statistics of the kept runs of an event",
        parameters={"window": limit(35 * 86_400, 86_400)},
        gives=objects.of(
            event=objects.TEXT, window=objects.COUNT, runs=objects.COUNT, succeeded=objects.COUNT,
            failures=objects.COUNT, skipped=objects.COUNT, retried=objects.COUNT,
            abandoned=objects.COUNT, stopped=objects.COUNT, duration=_SPREAD, wait=_SPREAD,
            lateness=_SPREAD,
        ),
    ),
)  # fmt: skip
