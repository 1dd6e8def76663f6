"""Totals of the runs of an event: outcomes, durations, and the last success.

Unlike the runs themselves they are not capped: they are numbers that only grow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.client import Pipeline

from clock import keys
from clock.connection.errors import server_errors
from clock.connection.scripts import script
from clock.ledger.histogram import Histogram, bucket, read_histogram
from clock.ledger.unreadable import READ_ERRORS, execute, skip
from clock.ledger.values import instant, text, whole
from clock.runs.run import Run, RunOutcome

DURATIONS = (0.1, 1.0, 5.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)
"""Bounds of the histogram of durations, in seconds. Few: each is a series for each event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTotals:
    """All runs of an event. ``outcomes`` are counts by outcome. ``succeeded`` is when the last
    successful one ended (UTC seconds since 1970), or None. ``durations`` leaves out abandoned ones,
    whose end is unknown.
    """

    outcomes: Mapping[str, int]
    succeeded: float | None
    durations: Histogram


def measure(connection: Redis | Pipeline, app: str, run: Run) -> None:
    """Count ``run``: one command, on a connection or as part of a pipeline."""
    counts: list[Any] = [f"outcome:{run.outcome}", 1]
    if run.outcome != RunOutcome.ABANDONED:
        duration = max(0.0, run.duration)
        counts += [bucket("duration", DURATIONS, duration), 1, "duration:sum", round(duration, 3)]
    succeeded = round(run.ended, 3) if run.outcome == RunOutcome.SUCCEEDED else "-"
    key = keys.measured(app, run.event)
    connection.eval(
        script("clock.ledger", "count.lua"),
        1,
        key,
        str(keys.TTL),
        str(succeeded),
        *map(str, counts),
    )


def read_measured(connection: Redis, app: str, events: Iterable[str]) -> dict[str, RunTotals]:
    """The totals of ``events``, in one round trip; those without a run are left out.

    Raises ServerError.
    """
    names = list(events)
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        for event in names:
            pipeline.hgetall(keys.measured(app, event))
        replies = execute(pipeline)
    read = {}
    for event, counts in zip(names, replies, strict=True):
        if counts:
            try:
                read[event] = _parse(counts)
            except READ_ERRORS as error:
                skip(keys.measured(app, event), error)
    return read


def _parse(counts: Mapping[Any, Any]) -> RunTotals:
    values = {text(field): text(value) for field, value in counts.items()}
    return RunTotals(
        outcomes={
            field.removeprefix("outcome:"): whole(value, 0)
            for field, value in sorted(values.items())
            if field.startswith("outcome:")
        },
        succeeded=instant(values["succeeded"]) if "succeeded" in values else None,
        durations=read_histogram("duration", DURATIONS, values),
    )
