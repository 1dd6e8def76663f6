"""JSON objects of jobs for the API, with their schemas; see ``clock.observe.objects``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from clock.observe.formatting import utc_exact
from clock.observe.objects import (
    COUNT,
    FLAG,
    INSTANT,
    MAYBE_COUNT,
    MAYBE_INSTANT,
    MAYBE_SECONDS,
    MAYBE_TEXT,
    TEXT,
    filled,
    listed,
    maybe,
    of,
)
from clock.schedule.option import Schema

if TYPE_CHECKING:
    from clock.observe.rq.attempts import Attempt
    from clock.observe.rq.error_groups import ErrorGroup
    from clock.observe.rq.jobs import JobSummary
    from clock.observe.rq.listed_job import ListedJob
    from clock.observe.rq.running import Running
    from clock.runs.progress import Progress

_SUMMARY: Mapping[str, Schema] = {
    "id": TEXT, "status": TEXT, "task": MAYBE_TEXT, "queue": TEXT, "created_at": MAYBE_INSTANT,
    "enqueued_at": MAYBE_INSTANT, "started_at": MAYBE_INSTANT, "ended_at": MAYBE_INSTANT,
    "worker": MAYBE_TEXT, "timeout": MAYBE_COUNT, "retries_left": MAYBE_COUNT,
    "event": MAYBE_TEXT, "scheduled_at": MAYBE_TEXT, "is_manual": FLAG,
}  # fmt: skip
JOB = of(
    **_SUMMARY,
    error_line={
        **MAYBE_TEXT,
        "description": "The last error in one line, of a failed job; null where RQ keeps none.",
    },
)
_PROGRESS = of(
    done={"type": "number"}, total={"type": ["number", "null"]}, message=TEXT, at=INSTANT
)
RUNNING = of(**_SUMMARY, progress=maybe(_PROGRESS), heartbeat=MAYBE_INSTANT)
ATTEMPT = of(
    number=COUNT, started_at=MAYBE_INSTANT, ended_at=MAYBE_INSTANT,
    outcome={**MAYBE_TEXT, "description": "Null while it runs."}, worker=MAYBE_TEXT,
    waited=MAYBE_SECONDS, took=MAYBE_SECONDS,
    error={**MAYBE_TEXT, "description": "Its error in one line."},
)  # fmt: skip
DETAILS = of(
    **_SUMMARY,
    progress=maybe(_PROGRESS),
    error=MAYBE_TEXT,
    description={**MAYBE_TEXT, "description": "Null unless arguments are shown."},
    arguments=maybe(of(args={"description": "A list."}, kwargs={"description": "An object."})),
    attempts=listed(ATTEMPT),
    has_result=FLAG,
    result={"description": "Null unless arguments are shown and it is a plain value."},
    dependencies=listed(TEXT),
    dependents={**listed(TEXT), "description": "Ids of jobs that wait for it, some of them."},
)


def job_object(job: ListedJob) -> dict[str, Any]:
    """A listed job, without its arguments."""
    line = job.error.line if job.error else None
    return {**summary_object(job.job), "error_line": line}


def summary_object(job: JobSummary) -> dict[str, Any]:
    """A job, without its arguments."""
    return filled(of(**_SUMMARY), job)


def attempt_object(attempt: Attempt) -> dict[str, Any]:
    """An attempt at a job."""
    lengths = {
        name: None if value is None else round(value, 3)
        for name, value in (("waited", attempt.waited), ("took", attempt.took))
    }
    return filled(ATTEMPT, attempt, **lengths)


ERROR_GROUP = of(
    id={**TEXT, "description": "The 'group' of a filter."}, kind=MAYBE_TEXT, line=TEXT, count=COUNT,
    first=MAYBE_INSTANT, last=MAYBE_INSTANT, tasks=listed(TEXT), queues=listed(TEXT),
    example={**TEXT, "description": "The id of one of its jobs."},
)  # fmt: skip


def error_group_object(group: ErrorGroup) -> dict[str, Any]:
    """Failed jobs with the same error."""
    return filled(ERROR_GROUP, group)


def progress_object(progress: Progress | None) -> dict[str, Any] | None:
    """The progress of a job, or null."""
    return None if progress is None else filled(_PROGRESS, progress, at=progress.at.timestamp())


def running_object(running: Running) -> dict[str, Any]:
    """A running job."""
    progress, heartbeat = progress_object(running.progress), utc_exact(running.heartbeat)
    return {**summary_object(running.job), "progress": progress, "heartbeat": heartbeat}
