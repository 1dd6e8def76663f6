"""Which occurrence of which event the running job stands for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from rq import get_current_job
from rq.job import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """The occurrence that a job stands for; the instants are aware datetimes in UTC.

    ``previous_scheduled_at`` is the occurrence enqueued before it, None for the first of all: what
    happened after that one is what this run has to deal with. ``attempt`` is 1, and more where the
    job is tried again. ``is_manual`` says that somebody ran the event by hand (``clock run``).
    """

    event: str
    scheduled_at: datetime
    previous_scheduled_at: datetime | None
    enqueued_at: datetime
    attempt: int
    is_manual: bool = False


def current() -> Occurrence | None:
    """The occurrence of the job that runs here; None outside of a job, in one that no schedule
    enqueued, and in a thread that the task started.
    """
    job = get_current_job()
    return None if job is None else occurrence_of(job)


def occurrence_of(job: Job) -> Occurrence | None:
    """The occurrence that ``job`` stands for, None where it stands for none."""
    said = job.meta.get("clock")
    if not isinstance(said, dict) or "scheduled_at" not in said:
        return None
    previous = said.get("previous_scheduled_at")
    return Occurrence(
        event=said["event"],
        scheduled_at=_instant(said["scheduled_at"]),
        previous_scheduled_at=None if previous is None else _instant(previous),
        enqueued_at=_instant(said["enqueued_at"]),
        attempt=attempt_of(job),
        is_manual=bool(said.get("manual")),
    )


def attempt_of(job: Job) -> int:
    """Which try of its job this is, the first being 1."""
    return (job.number_of_retries or 0) + 1


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
