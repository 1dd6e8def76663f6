"""The record of a run, and its output."""

from __future__ import annotations

from datetime import datetime

from rq.job import Job

from clock.jobs.occurrence import Occurrence, attempt_of, occurrence_of
from clock.runs.counted import CountedRun
from clock.runs.output import RunOutput
from clock.runs.run import Run, RunOutcome
from clock.worker.output_ring import Printed


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


def counted_of(
    job: Job,
    outcome: RunOutcome,
    *,
    of: Run | Occurrence | None,
    started: datetime | None,
    ended: datetime,
) -> CountedRun:
    """What is counted of the run that ended, ``of`` whose event its job is; instants as for
    ``run_of``.
    """
    until = ended.timestamp()
    begun = until if started is None else started.timestamp()
    waited = 0.0 if job.enqueued_at is None else begun - job.enqueued_at.timestamp()
    return CountedRun(
        queue=job.origin,
        event=None if of is None else of.event,
        outcome=outcome,
        ended=until,
        waited=waited,
    )


def output_of(
    job: Job, outcome: RunOutcome, *, ended: datetime, printed: Printed | None
) -> RunOutput | None:
    """The output of the run that ended, of which ``printed`` is there; None where none is to be
    kept: of a job that does not stand for an occurrence, only that of a run that did not go well.
    """
    if printed is None:
        return None
    occurrence = occurrence_of(job)
    output = RunOutput(
        job=job.id,
        attempt=attempt_of(job),
        event=None if occurrence is None else occurrence.event,
        outcome=outcome,
        ended=ended.timestamp(),
        text=printed.text,
        written=printed.written,
    )
    return output if occurrence is not None or output.is_bad else None
