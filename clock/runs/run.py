"""A run: one attempt at a scheduled job."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RunOutcome(StrEnum):
    """How a run ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """An error, and the job is not retried."""
    SKIPPED = "skipped"
    """The task reported that there was nothing to do."""
    RETRIED = "retried"
    """An error, or the task asked for it; the job is retried."""
    ABANDONED = "abandoned"
    """Its worker died."""
    STOPPED = "stopped"
    """Its worker was stopped, or somebody stopped the job."""


FAILURES = frozenset({RunOutcome.FAILED, RunOutcome.ABANDONED})
"""Outcomes of a last run that make its event failing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One attempt at a job of ``event``. Instants are UTC seconds since 1970; ``scheduled`` is the
    occurrence's, ``enqueued`` when this attempt was put on its queue.

    ``ended`` of an abandoned run is when that was noticed. ``error`` is the class of the error, or
    the signal that killed the run, and None where there was none. ``attempt`` counts from 1.
    """

    event: str
    scheduled: int
    enqueued: float
    started: float
    ended: float
    outcome: RunOutcome
    error: str | None
    attempt: int
    worker: str
    job: str

    @property
    def duration(self) -> float:
        """Seconds it ran."""
        return self.ended - self.started

    @property
    def wait(self) -> float:
        """Seconds it waited on its queue."""
        return self.started - self.enqueued

    @property
    def lateness(self) -> float | None:
        """Seconds from the scheduled time until the clock enqueued it; None for a later attempt."""
        return self.enqueued - self.scheduled if self.attempt == 1 else None
