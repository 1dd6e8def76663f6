"""The occurrence that the running job stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rq import get_current_job
from rq.job import Job

from clock import keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """The occurrence that a job stands for; the instants are aware datetimes in UTC.

    ``previous_scheduled_at`` is the occurrence enqueued before it, None for the first of all: what
    happened after that one is what this run has to deal with. ``attempt`` is 1, and more where the
    job is tried again. ``is_manual`` says that the event was run by hand (``clock run``).
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
    """The occurrence that ``job`` stands for; None where it stands for none, and where its meta
    cannot be read as one: any program may have written it.
    """
    meta = meta_of(job).get(keys.OCCURRENCE_META)
    if not isinstance(meta, Mapping):
        return None
    try:
        previous = meta.get("previous_scheduled_at")
        return Occurrence(
            event=str(meta["event"]),
            scheduled_at=_instant(meta["scheduled_at"]),
            previous_scheduled_at=None if previous is None else _instant(previous),
            enqueued_at=_instant(meta.get("enqueued_at") or meta["scheduled_at"]),
            attempt=attempt_of(job),
            is_manual=bool(meta.get("manual")),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def meta_of(job: Job) -> Mapping[str, Any]:
    """The job's meta; empty if it is not a mapping: any program may have written it."""
    meta: Any = job.meta
    return meta if isinstance(meta, Mapping) else {}


def attempt_of(job: Job) -> int:
    """Which try of its job this is, the first being 1."""
    return (job.number_of_retries or 0) + 1


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
