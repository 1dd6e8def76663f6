"""The metrics of a scrape: names, labels and help texts, which docs/metrics.md repeats.

Names and labels never change. Series are bounded by the number of events, queues and workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import version

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from clock.ledger.counters import Counted
from clock.ledger.sources import SourceState
from clock.observe.rq.queues import QueueState
from clock.observe.rq.workers import WorkerState
from clock.observe.status import AppStatus
from clock.web.event_families import buckets, event_families
from clock.web.scrape import Scrape


def families(scrape: Scrape | None) -> Iterator[Metric]:
    """The metrics of ``scrape``; if it is None, only that the server does not answer."""
    yield _gauge(
        "clock_server_up", "Whether the Redis or Valkey of the ledger answers.", scrape is not None
    )
    if scrape is None:
        return
    yield from _of_application(scrape.status)
    yield from _of_sources(scrape.status.sources)
    yield from _of_counts(scrape.counted)
    yield from event_families(scrape.status, scrape.measured)
    yield from _of_queues(scrape.queues, scrape.status.now)
    yield from _of_workers(scrape.workers)


def _of_application(status: AppStatus) -> Iterator[Metric]:
    labels = {"app": status.app, "version": version("rq-clock")}
    yield InfoMetricFamily(
        "clock", "The application, and the release of the process that answers.", labels
    )
    for name, text, value in _APPLICATION_GAUGES:
        yield _gauge(f"clock_{name}", text, value(status))
    if (last := status.last_tick()) is not None:
        yield _gauge(
            "clock_last_tick_timestamp_seconds",
            "The last pass of any clock over what is due, to within 5 s.",
            last,
        )


def _of_counts(counted: Counted) -> Iterator[Metric]:
    yield CounterMetricFamily(
        "clock_duplicates_refused",
        "Claims of occurrences that another clock had decided.",
        value=counted.refused,
    )
    lateness = HistogramMetricFamily(
        "clock_lateness_seconds",
        "From the scheduled time to the claim, of occurrences that were enqueued.",
    )
    lateness.add_metric([], *buckets(counted.latenesses))
    yield lateness


def _of_sources(sources: Sequence[SourceState]) -> Iterator[Metric]:
    for name, text, value in _SOURCE_GAUGES:
        family = GaugeMetricFamily(f"clock_source_{name}", text, labels=["source"])
        for source in sources:
            family.add_metric([source.name], value(source))
        yield family


def _of_queues(queues: Sequence[QueueState], now: float) -> Iterator[Metric]:
    for name, text, value in _QUEUE_GAUGES:
        family = GaugeMetricFamily(f"clock_queue_{name}", text, labels=["queue"])
        for queue in queues:
            family.add_metric([queue.name], float(value(queue, now)))
        yield family


def _of_workers(workers: Iterable[WorkerState]) -> Iterator[Metric]:
    memory = GaugeMetricFamily(
        "clock_worker_memory_bytes", "Memory of the worker's processes.", labels=["worker"]
    )
    cpu = CounterMetricFamily(
        "clock_worker_cpu_seconds",
        "Processor seconds that the worker's processes took since its start.",
        labels=["worker"],
    )
    for worker in workers:
        if worker.memory is not None:
            memory.add_metric([worker.name], worker.memory)
        if worker.cpu is not None:
            cpu.add_metric([worker.name], worker.cpu)
    yield from (memory, cpu)


_APPLICATION_GAUGES: Sequence[tuple[str, str, Callable[[AppStatus], float]]] = (
    (
        "up",
        "Whether a clock is alive for each schedule file that has events.",
        lambda status: status.has_clocks,
    ),
    (
        "healthy",
        "Whether clocks are alive and agree, no event is overdue or ahead of time, and every "
        "source answers.",
        lambda status: status.is_healthy,
    ),
    (
        "conflicts",
        "Pairs of live clocks that declare an event differently.",
        lambda status: len(status.conflicts),
    ),
    ("alive_clocks", "Clocks that are alive.", lambda status: len(status.alive)),
    (
        "events",
        "Events of all schedule files, disabled ones too.",
        lambda status: len(status.events),
    ),
    (
        "unreadable",
        "Unreadable entries of the ledger that this scrape skipped, 20 at most.",
        lambda status: len(status.unreadable),
    ),
)

_SOURCE_GAUGES: Sequence[tuple[str, str, Callable[[SourceState], float]]] = (
    (
        "failing",
        "Whether the source does not answer.",
        lambda source: source.failing_since is not None,
    ),
    ("rows", "Rows that it returned last.", lambda source: source.rows),
    (
        "refused_rows",
        "Rows of it that are refused for a mistake.",
        lambda source: source.refused,
    ),
)

_QUEUE_GAUGES: Sequence[tuple[str, str, Callable[[QueueState, float], float]]] = (
    ("waiting", "Waiting jobs.", lambda queue, _: queue.waiting),
    (
        "age_seconds",
        "How long the first job has waited, 0 where none waits.",
        lambda queue, now: queue.age(now) or 0.0,
    ),
    ("running", "Running jobs.", lambda queue, _: queue.started),
    ("failed", "Failed jobs that are kept.", lambda queue, _: queue.failed),
    ("workers", "Live workers that listen on it.", lambda queue, _: queue.workers),
    (
        "paused",
        "Whether workers of this package take no jobs from it.",
        lambda queue, _: queue.paused is not None,
    ),
    (
        "broken",
        "Whether its key holds something else than a queue.",
        lambda queue, _: queue.is_broken,
    ),
)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))
