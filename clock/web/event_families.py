"""The metrics of events.

A counter with two labels has only the series that can grow or have grown: all reasons of all events
would be thousands that are always zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from clock.decision import Group, Kind
from clock.ledger.histogram import Histogram
from clock.observe.overdue import following
from clock.observe.state import last_lateness
from clock.observe.status import AppStatus, EventStatus
from clock.runs.totals import RunTotals

MOST_OCCURRENCES = 10
"""Occurrences that are counted since the last success."""

SKIPPED = {
    kind.counter: kind.label
    for kind in Kind
    if kind.group in {Group.SKIPPED, Group.FAILED} or kind is Kind.EXPIRED
}
"""The counters of a record -> the label ``reason``."""


def event_families(status: AppStatus, measured: Mapping[str, RunTotals]) -> Iterator[Metric]:
    """The metrics of the events of ``status``; ``measured`` are the totals of their runs."""
    yield from _of_events(status.events)
    yield _occurrences_since_success(status, measured)
    yield from _of_decisions(status.events)
    yield from _of_runs(measured)


def _of_events(events: Sequence[EventStatus]) -> Iterator[Metric]:
    for name, text, value in _EVENT_GAUGES:
        yield _by_event(f"clock_event_{name}", text, {event.name: value(event) for event in events})


def _occurrences_since_success(status: AppStatus, measured: Mapping[str, RunTotals]) -> Metric:
    counts = {
        event.name: _since_success(event, measured[event.name], status.now)
        for event in status.events
        if event.name in measured
    }
    return _by_event(
        "clock_event_occurrences_since_success",
        f"Occurrences whose time has come since a run last succeeded, {MOST_OCCURRENCES} at most.",
        counts,
    )


def _since_success(event: EventStatus, totals: RunTotals, now: float) -> int | None:
    description = event.description
    # An event with a condition may rightly have no runs.
    if event.recurrence is None or not description.enabled or description.has_condition:
        return None
    decisions = () if event.record is None else event.record.history
    paused = (decision.last for decision in decisions if decision.kind is Kind.PAUSED)
    at = int(max(totals.succeeded or 0, description.since, next(paused, 0)))
    for count in range(MOST_OCCURRENCES):
        instant = following(event.recurrence, at)
        if instant is None or instant > now:
            return count
        at = instant
    return MOST_OCCURRENCES


def _of_decisions(events: Iterable[EventStatus]) -> Iterator[Metric]:
    enqueued = _counter("clock_event_enqueued", "Occurrences whose job was enqueued.")
    missed = _counter(
        "clock_event_missed",
        "Occurrences that were missed and not caught up, without expired ones.",
    )
    skipped = _counter(
        "clock_event_skipped", "Occurrences that were not enqueued, by reason.", "reason"
    )
    for event in events:
        counters = {} if event.record is None else event.record.counters
        enqueued.add_metric([event.name], counters.get("fired", 0))
        missed.add_metric([event.name], counters.get("missed", 0))
        possible = _possible(event)
        for counter, reason in SKIPPED.items():
            count = counters.get(counter, 0)
            if count or counter in possible:
                skipped.add_metric([event.name, reason], count)
    yield from (enqueued, missed, skipped)


def _possible(event: EventStatus) -> set[str]:
    """The counters for which the schedule lets the event skip an occurrence."""
    description = event.description
    possible = {"overlap"} if description.overlap == "skip" else set()
    possible |= {"unmet", "error"} if description.has_condition else set()
    return possible | ({"expired"} if description.expires is not None else set())


def _of_runs(measured: Mapping[str, RunTotals]) -> Iterator[Metric]:
    succeeded = {event: totals.succeeded for event, totals in measured.items()}
    yield _by_event(
        "clock_event_last_succeeded_timestamp_seconds", "When a run last succeeded.", succeeded
    )
    runs = _counter("clock_event_runs", "Runs that ended, by outcome.", "outcome")
    durations = HistogramMetricFamily(
        "clock_event_run_duration_seconds",
        "How long runs took, without abandoned ones.",
        labels=["event"],
    )
    for event, totals in measured.items():
        # Both series exist from the first run on, so that their rates are right.
        for outcome, count in {"succeeded": 0, "failed": 0, **totals.outcomes}.items():
            runs.add_metric([event, outcome], count)
        durations.add_metric([event], *buckets(totals.durations))
    yield from (runs, durations)


def _enqueued(event: EventStatus) -> float | None:
    if event.record is None or event.record.fired is None:
        return None
    return event.record.fired + (last_lateness(event.record) or 0.0)


def _paused_until(event: EventStatus) -> float | None:
    if event.pause is None:
        return None
    return math.inf if event.pause.until is None else event.pause.until


_EVENT_GAUGES: Sequence[tuple[str, str, Callable[[EventStatus], object]]] = (
    ("next_timestamp_seconds", "Its next occurrence.", lambda event: event.next),
    ("last_enqueued_timestamp_seconds", "When a clock last enqueued its job.", _enqueued),
    (
        "last_lateness_seconds",
        "How late the last occurrence was that was enqueued.",
        lambda event: last_lateness(event.record),
    ),
    ("paused", "Whether it is paused.", lambda event: float(event.pause is not None)),
    (
        "paused_until_timestamp_seconds",
        "When its pause ends, +Inf for a pause without an end.",
        _paused_until,
    ),
    (
        "overdue_seconds",
        "For how long it has been overdue while a clock is alive, 0 where it is not.",
        lambda event: event.overdue or 0.0,
    ),
    (
        "failing",
        "Whether its last run failed or was abandoned.",
        lambda event: float(event.is_failing),
    ),
)


def _counter(name: str, text: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(name, text, labels=["event", *labels])


def _by_event(name: str, text: str, values: Mapping[str, object]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=["event"])
    for event, value in values.items():
        if isinstance(value, (int, float)):
            family.add_metric([event], float(value))
    return family


def buckets(histogram: Histogram) -> tuple[list[tuple[str, float]], float]:
    """The buckets of ``histogram``, and the sum of its values, for prometheus-client."""
    bounds = [*map(repr, map(float, histogram.bounds)), "+Inf"]
    return list(zip(bounds, map(float, histogram.cumulative), strict=True)), histogram.total
