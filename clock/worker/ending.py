"""What the end of a task means to RQ, and to the record of runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rq import Retry as RQRetry
from rq.job import Job

from clock.jobs.occurrence import attempt_of
from clock.jobs.outcome import Abort, Retry, Skip, meaning_of
from clock.runs.run import RunOutcome
from clock.worker.interruption import Stopping

ATTEMPTS = 10
"""Attempts after which ``raise Retry`` fails a job that has no ``retry=`` to say how many."""

ENDLESS = sys.maxsize
"""RQ bounds what a task returns to be retried; here it is bounded before it gets there."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ends, and the class of its error."""

    outcome: RunOutcome
    error: str | None = None


def meant(error: Exception, job: Job, outcomes: Mapping[str, Mapping[Any, Any]]) -> Exception:
    """What ``error``, which came out of the task of ``job``, means by the task's table; itself
    where that says nothing of it.
    """
    meaning = meaning_of(error, outcomes.get(str(job.func_name), {}))
    if meaning is None or meaning is error:
        return error
    meaning.__cause__ = error
    return meaning


def ending_of(error: BaseException, job: Job) -> Ending:
    """How the run ends that ``error`` came out of."""
    name = _name(error)
    if isinstance(error, Skip):
        return Ending(RunOutcome.SKIPPED)
    if isinstance(error, Stopping):
        return Ending(RunOutcome.STOPPED, name)
    if isinstance(error, Retry):
        return Ending(RunOutcome.RETRIED if _may_retry(job) else RunOutcome.FAILED, name)
    is_last = isinstance(error, Abort) or not job.should_retry
    return Ending(RunOutcome.FAILED if is_last else RunOutcome.RETRIED, name)


def failure_of(error: BaseException | None, job: Job) -> Ending:
    """How a run ends that RQ takes for a failure."""
    name = None if error is None else _name(error)
    if isinstance(error, Stopping):
        return Ending(RunOutcome.STOPPED, name)
    return Ending(RunOutcome.RETRIED if job.should_retry else RunOutcome.FAILED, name)


def result_for_rq(error: Exception, job: Job) -> Any:
    """What RQ shall take for the task's result, ``error`` having come out of it; raises what RQ
    shall take for its error.
    """
    if isinstance(error, Skip):
        return error.value
    if isinstance(error, Stopping) and job.should_retry:
        return RQRetry(max=ENDLESS)
    if isinstance(error, Retry):
        return _retried(error, job)
    if isinstance(error, Abort):
        job.retries_left = 0
    raise error


def _retried(error: Retry, job: Job) -> RQRetry:
    if not _may_retry(job):
        job.retries_left = 0
        raise Abort(f"not tried again after {attempt_of(job)} attempts: {error}") from error
    interval = error.in_
    if interval is None:
        interval = job.get_retry_interval() if job.retries_left else 0
    if job.retries_left:
        job.retries_left -= 1
    return RQRetry(max=ENDLESS, interval=interval)


def _may_retry(job: Job) -> bool:
    if job.retries_left is not None:
        return job.retries_left > 0
    return attempt_of(job) < ATTEMPTS


def _name(error: BaseException) -> str:
    # What a table made of an error, or a bound of a wish, is not what went wrong.
    cause = error.__cause__ if isinstance(error, Retry | Abort) else None
    return type(cause or error).__name__
