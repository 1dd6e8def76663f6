"""A scrape: what ``/metrics`` reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from redis import Redis

from clock.ledger.counters import Counted, read_counters
from clock.observe.reading import read_status
from clock.observe.rq.queues import QueueState, read_queues
from clock.observe.rq.workers import WorkerState, read_workers
from clock.observe.status import AppStatus
from clock.runs.totals import RunTotals, read_measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """What one scrape reads. ``measured`` are the totals of runs, by event."""

    status: AppStatus
    queues: Sequence[QueueState]
    workers: Sequence[WorkerState]
    measured: Mapping[str, RunTotals]
    counted: Counted


def read_scrape(connection: Redis, app: str, now: float, tolerance: float) -> Scrape:
    """A scrape at ``now`` (UTC seconds since 1970) in eleven round trips at most, however many
    events there are. Raises ServerError.
    """
    status = read_status(connection, app, now, tolerance=tolerance)
    events = [event.name for event in status.events]
    # A refused row has no queue.
    queues = {event.description.queue for event in status.events} - {""}
    return Scrape(
        status=status,
        queues=read_queues(connection, now, queues),
        workers=read_workers(connection),
        measured=read_measured(connection, app, events),
        counted=read_counters(connection, app),
    )
