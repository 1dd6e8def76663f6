"""``/metrics``: the ledger at the moment of the scrape, so it stays true when no clock is alive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry
from redis import Redis
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from clock.decision import Group, Kind
from clock.errors import ServerError
from clock.ledger.counters import Counted, read_counters
from clock.ledger.histogram import Histogram
from clock.observe.reading import read_status
from clock.observe.rq.queues import QueueState, read_queues
from clock.observe.state import last_lateness
from clock.observe.status import AppStatus, EventStatus
from clock.runs.totals import RunTotals, read_measured
from clock.web.context import Context

SKIPPED = {
    kind.counter: kind.label
    for kind in Kind
    if kind.group in {Group.SKIPPED, Group.FAILED} or kind is Kind.EXPIRED
}
"""The counters of a record -> the label ``reason``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """What one scrape reads."""

    status: AppStatus
    queues: list[QueueState]
    measured: Mapping[str, RunTotals]
    counted: Counted


def read_scrape(connection: Redis, app: str, now: float, tolerance: float) -> Scrape:
    """A scrape in seven round trips, however many events there are. Raises ServerError."""
    status = read_status(connection, app, now, tolerance=tolerance)
    events = [event.name for event in status.events]
    queues = {event.description.queue for event in status.events}
    return Scrape(
        status=status,
        queues=read_queues(connection, now, queues),
        measured=read_measured(connection, app, events),
        counted=read_counters(connection, app),
    )


def families(scrape: Scrape | None) -> Iterator[Metric]:
    """The metrics of ``scrape``; if it is None, only that the server does not answer."""
    yield _gauge("clock_server_up", "Whether the server of the ledger answers.", scrape is not None)
    if scrape is None:
        return
    yield from _of_application(scrape.status)
    yield from _of_counts(scrape.counted)
    yield from _of_events(scrape.status.events)
    yield from _of_decisions(scrape.status.events)
    yield from _of_runs(scrape.measured)
    yield from _of_queues(scrape.queues, scrape.status.now)


def _of_application(status: AppStatus) -> Iterator[Metric]:
    labels = {"app": status.app, "version": version("rq-clock")}
    yield InfoMetricFamily("clock", "The application, and the release that answers.", labels)
    yield _gauge("clock_up", "Whether a clock is alive for each schedule file.", status.has_clocks)
    yield _gauge(
        "clock_healthy", "Whether that is so, nothing overdue, no conflict.", status.is_healthy
    )
    yield _gauge("clock_conflicts", "Pairs of clocks that disagree.", len(status.conflicts))
    yield _gauge("clock_alive_clocks", "Clocks that are alive.", len(status.alive))
    yield _gauge("clock_events", "Events of all schedule files.", len(status.events))
    yield _gauge(
        "clock_unreadable",
        "Unreadable entries of the ledger that were skipped, 20 at most.",
        len(status.unreadable),
    )
    if (last := status.last_tick()) is not None:
        yield _gauge("clock_last_tick_timestamp_seconds", "The last pass of any clock.", last)


def _of_counts(counted: Counted) -> Iterator[Metric]:
    yield CounterMetricFamily(
        "clock_duplicates_refused",
        "Claims of occurrences that another clock had decided.",
        value=counted.refused,
    )
    lateness = HistogramMetricFamily(
        "clock_lateness_seconds", "From the scheduled time to the claim, of what fired."
    )
    lateness.add_metric([], *_buckets(counted.latenesses))
    yield lateness


def _of_events(events: Iterable[EventStatus]) -> Iterator[Metric]:
    for name, text, value in _EVENT_GAUGES:
        yield _by_event(f"clock_event_{name}", text, {event.name: value(event) for event in events})


def _of_decisions(events: Iterable[EventStatus]) -> Iterator[Metric]:
    enqueued = _counter("clock_event_enqueued", "Occurrences whose job was enqueued.")
    missed = _counter("clock_event_missed", "Occurrences that were missed, and not made up.")
    skipped = _counter("clock_event_skipped", "Occurrences that were not to be enqueued.", "reason")
    for event in events:
        counters = {} if event.record is None else event.record.counters
        enqueued.add_metric([event.name], counters.get("fired", 0))
        missed.add_metric([event.name], counters.get("missed", 0))
        for counter, reason in SKIPPED.items():
            skipped.add_metric([event.name, reason], counters.get(counter, 0))
    yield from (enqueued, missed, skipped)


def _of_runs(measured: Mapping[str, RunTotals]) -> Iterator[Metric]:
    succeeded = {event: totals.succeeded for event, totals in measured.items()}
    yield _by_event(
        "clock_event_last_succeeded_timestamp_seconds", "When a run last succeeded.", succeeded
    )
    runs = _counter("clock_event_runs", "Runs that ended, of our workers.", "outcome")
    durations = HistogramMetricFamily(
        "clock_event_run_duration_seconds", "How long runs took.", labels=["event"]
    )
    for event, totals in measured.items():
        # Both series exist from the first run on, so that their rates are right.
        for outcome, count in {"succeeded": 0, "failed": 0, **totals.outcomes}.items():
            runs.add_metric([event, outcome], count)
        durations.add_metric([event], *_buckets(totals.durations))
    yield from (runs, durations)


def _of_queues(queues: Iterable[QueueState], now: float) -> Iterator[Metric]:
    for name, text, value in _QUEUE_GAUGES:
        family = GaugeMetricFamily(f"clock_queue_{name}", text, labels=["queue"])
        for queue in queues:
            family.add_metric([queue.name], float(value(queue, now)))
        yield family


def _enqueued(event: EventStatus) -> float | None:
    if event.record is None or event.record.fired is None:
        return None
    fired = (decision for decision in event.record.history if decision.kind.is_enqueued)
    last = next(fired, None)
    return event.record.fired + (0.0 if last is None else last.lateness or 0.0)


_EVENT_GAUGES: Sequence[tuple[str, str, Callable[[EventStatus], object]]] = (
    ("next_timestamp_seconds", "The next occurrence.", lambda event: event.next),
    (
        "last_enqueued_timestamp_seconds",
        "When a job of it was last enqueued by a clock.",
        _enqueued,
    ),
    ("last_lateness_seconds", "How late that was.", lambda event: last_lateness(event.record)),
    ("paused", "Whether it is paused.", lambda event: event.pause),
    (
        "overdue_seconds",
        "Since when a clock that is alive should have decided it; 0 where it is not overdue.",
        lambda event: event.overdue or 0.0,
    ),
    ("failing", "Whether its last run failed.", lambda event: event.is_failing),
)

_QUEUE_GAUGES: Sequence[tuple[str, str, Callable[[QueueState, float], float]]] = (
    ("waiting", "Jobs that wait on the queue.", lambda queue, _: queue.waiting),
    (
        "age_seconds",
        "For how long the job at its head waits; 0 where none does.",
        lambda queue, now: queue.age(now) or 0.0,
    ),
    ("running", "Jobs of it that run.", lambda queue, _: queue.started),
    ("failed", "Failed jobs of it that are kept.", lambda queue, _: queue.failed),
    ("workers", "Living workers that listen on it.", lambda queue, _: queue.workers),
    ("broken", "Whether its key holds something else.", lambda queue, _: queue.is_broken),
)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))


def _counter(name: str, text: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(name, text, labels=["event", *labels])


def _by_event(name: str, text: str, values: Mapping[str, object]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=["event"])
    is_flag = name in {"clock_event_paused", "clock_event_failing"}
    for event, value in values.items():
        if is_flag:
            family.add_metric([event], float(bool(value)))
        elif isinstance(value, (int, float)):
            family.add_metric([event], float(value))
    return family


def _buckets(histogram: Histogram) -> tuple[list[tuple[str, float]], float]:
    bounds = [*map(repr, map(float, histogram.bounds)), "+Inf"]
    return list(zip(bounds, map(float, histogram.cumulative), strict=True)), histogram.total


class _Read(Collector):
    def __init__(self, scrape: Scrape | None) -> None:
        self._scrape = scrape

    def collect(self) -> Iterator[Metric]:
        """The metrics, called by prometheus-client."""
        return families(self._scrape)


def _metrics(request: Request) -> Response:
    context: Context = request.app.state.clock
    scrape: Scrape | None
    try:
        scrape = read_scrape(context.answering(), context.app, context.now(), context.tolerance)
    except ServerError:
        scrape = None
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Read(scrape))
    encode, kind = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(registry), media_type=kind)


routes: list[BaseRoute] = [Route("/metrics", _metrics, methods=["GET"])]
