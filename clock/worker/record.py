"""The record of a run."""

from __future__ import annotations

from datetime import datetime

from rq.job import Job

from clock.jobs.occurrence import occurrence_of
from clock.runs.run import Run, RunOutcome


def run_of(
    job: Job,
    outcome: RunOutcome,
    *,
    started: datetime | None,
    ended: datetime,
    worker: str,
    error: str | None = None,
) -> Run | None:
    """The run that ended; None for a job that does not stand for an occurrence. Instants are
    aware datetimes.
    """
    occurrence = occurrence_of(job)
    if occurrence is None:
        return None
    begun = started or job.enqueued_at or ended
    return Run(
        event=occurrence.event,
        scheduled=round(occurrence.scheduled_at.timestamp()),
        enqueued=(job.enqueued_at or begun).timestamp(),
        started=begun.timestamp(),
        ended=ended.timestamp(),
        outcome=outcome,
        error=error,
        attempt=occurrence.attempt,
        worker=worker,
        job=job.id,
    )
