"""The run of a job in hand, as it is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rq.job import Job

from clock.runs.run import Run, RunOutcome


def occurrence_of(job: Job) -> Mapping[str, Any] | None:
    """What the clock said of the job; None for one that no clock enqueued, and for one whose
    ``meta`` this worker's serializer cannot read.
    """
    said = job.meta.get("clock")
    return said if isinstance(said, Mapping) and {"event", "scheduled_at"} <= said.keys() else None


def attempt_of(job: Job) -> int:
    """Which attempt at the job this is, from 1."""
    return (job.number_of_retries or 0) + 1


def run_of(
    job: Job,
    outcome: RunOutcome,
    *,
    started: datetime | None,
    ended: datetime,
    worker: str,
    error: str | None = None,
) -> Run | None:
    """The run that ended; None for a job that is no occurrence of an event. Instants are aware."""
    said = occurrence_of(job)
    if said is None:
        return None
    begun = started or job.enqueued_at or ended
    return Run(
        event=str(said["event"]),
        scheduled=round(datetime.fromisoformat(said["scheduled_at"]).timestamp()),
        enqueued=(job.enqueued_at or begun).timestamp(),
        started=begun.timestamp(),
        ended=ended.timestamp(),
        outcome=outcome,
        error=error,
        attempt=attempt_of(job),
        worker=worker,
        job=job.id,
    )
