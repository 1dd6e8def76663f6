"""The API for tasks and for applications that enqueue them; a plain function needs none of it."""

from clock.errors import (
    EnqueueError,
    JobError,
    JobExpiredError,
    JobFailedError,
    JobServerError,
    JobTimeoutError,
    JobUnknownError,
    WaitRefusedError,
)
from clock.jobs.enqueue import call, enqueue, enqueue_many
from clock.jobs.handle import Handle, Status
from clock.jobs.occurrence import Occurrence, current
from clock.jobs.outcome import Abort, Outcome, Retry, Skip
from clock.jobs.progress import Progress, progress, track

__all__ = [
    "Abort",
    "EnqueueError",
    "Handle",
    "JobError",
    "JobExpiredError",
    "JobFailedError",
    "JobServerError",
    "JobTimeoutError",
    "JobUnknownError",
    "Occurrence",
    "Outcome",
    "Progress",
    "Retry",
    "Skip",
    "Status",
    "WaitRefusedError",
    "call",
    "current",
    "enqueue",
    "enqueue_many",
    "progress",
    "track",
]
