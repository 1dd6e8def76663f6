"""What the API returns, as JSON and as schemas.

Instants are strings in ISO 8601, in UTC; durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clock.observe.formatting import utc, utc_exact
from clock.observe.objects import event_object
from clock.observe.recent_runs import RecentRuns
from clock.observe.rq.jobs import JobSummary
from clock.observe.rq.queues import QueueState
from clock.observe.rq.running import Running
from clock.observe.rq.workers import WorkerState
from clock.observe.state import State
from clock.observe.status import EventStatus
from clock.runs.progress import Progress
from clock.runs.run import Run
from clock.web.api.schema import Schema

TEXT: Schema = {"type": "string"}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
COUNT: Schema = {"type": "integer", "minimum": 0}
MAYBE_COUNT: Schema = {"type": ["integer", "null"]}
MAYBE_SECONDS: Schema = {"type": ["number", "null"], "description": "Seconds."}
FLAG: Schema = {"type": "boolean"}
INSTANT: Schema = {"type": "string", "format": "date-time"}
MAYBE_INSTANT: Schema = {"type": ["string", "null"], "format": "date-time"}


def listed(schema: Schema) -> Schema:
    """A list whose items fit ``schema``."""
    return {"type": "array", "items": schema}


def of(**properties: Schema) -> Schema:
    """An object with all of ``properties`` and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


PAUSE = of(until=MAYBE_INSTANT, reason=TEXT, by=TEXT, since=INSTANT)
MAYBE_PAUSE: Schema = {"oneOf": [PAUSE, {"type": "null"}]}


CLOCK = of(
    host=TEXT, pid=COUNT, version=TEXT, file=TEXT, serializer=TEXT, tz=TEXT, events=COUNT,
    started=INSTANT, last_tick=INSTANT,
)  # fmt: skip


CONFLICT = of(clocks=listed(of(host=TEXT, pid=COUNT, file=TEXT)), events=listed(TEXT), number=COUNT)


RUN = of(
    event=TEXT, scheduled_at=INSTANT, enqueued_at=INSTANT, started_at=INSTANT, ended_at=INSTANT,
    outcome=TEXT, error=MAYBE_TEXT, attempt=COUNT, duration=MAYBE_SECONDS, wait=MAYBE_SECONDS,
    lateness=MAYBE_SECONDS, worker=TEXT, job=TEXT,
)  # fmt: skip


def run_shape(run: Run) -> dict[str, Any]:
    """A run."""
    return {
        "event": run.event,
        "scheduled_at": utc(run.scheduled),
        "enqueued_at": utc_exact(run.enqueued),
        "started_at": utc_exact(run.started),
        "ended_at": utc_exact(run.ended),
        "outcome": run.outcome,
        "error": run.error,
        "attempt": run.attempt,
        "duration": _rounded(run.duration),
        "wait": _rounded(run.wait),
        "lateness": _rounded(run.lateness),
        "worker": run.worker,
        "job": run.job,
    }


EVENT = of(
    event=TEXT, state={"type": "string", "enum": [*map(str, State)]}, task=TEXT,
    every=TEXT, sentence=TEXT, tz=TEXT, queue=TEXT, file=TEXT, enabled=FLAG, next=MAYBE_INSTANT,
    last_fired=MAYBE_INSTANT, lateness=MAYBE_SECONDS, last_decision=MAYBE_TEXT,
    last_decided=MAYBE_INSTANT, last_run={"oneOf": [RUN, {"type": "null"}]},
    overdue=MAYBE_SECONDS, paused=MAYBE_PAUSE,
    counters={"type": "object", "additionalProperties": COUNT},
)  # fmt: skip


def event_shape(event: EventStatus, runs: RecentRuns | None) -> dict[str, Any]:
    """An event, with its last run."""
    return {
        **event_object(event),
        "last_run": None if runs is None else run_shape(runs.newest),
    }


QUEUE = of(
    queue=TEXT, waiting=COUNT, age=MAYBE_SECONDS, workers=COUNT, started=COUNT, scheduled=COUNT,
    deferred=COUNT, finished=COUNT, failed=COUNT, canceled=COUNT, rate_limited=COUNT,
    ready_to_enqueue=COUNT, is_broken=FLAG,
)  # fmt: skip


def queue_shape(queue: QueueState, now: float) -> dict[str, Any]:
    """A queue."""
    return {
        "queue": queue.name,
        "waiting": queue.waiting,
        "age": _rounded(queue.age(now)),
        "workers": queue.workers,
        "started": queue.started,
        "scheduled": queue.scheduled,
        "deferred": queue.deferred,
        "finished": queue.finished,
        "failed": queue.failed,
        "canceled": queue.canceled,
        "rate_limited": queue.rate_limited,
        "ready_to_enqueue": queue.ready,
        "is_broken": queue.is_broken,
    }


WORKER = of(
    name=TEXT, host=MAYBE_TEXT, pid=MAYBE_COUNT, state=TEXT, queues=listed(TEXT), job=MAYBE_TEXT,
    started=MAYBE_INSTANT, heartbeat=MAYBE_INSTANT, succeeded=COUNT, failed=COUNT,
    version=MAYBE_TEXT, is_ours=FLAG,
)  # fmt: skip


def worker_shape(worker: WorkerState) -> dict[str, Any]:
    """A worker."""
    return {
        "name": worker.name,
        "host": worker.host,
        "pid": worker.pid,
        "state": worker.state,
        "queues": list(worker.queues),
        "job": worker.job,
        "started": utc_exact(worker.started),
        "heartbeat": utc_exact(worker.heartbeat),
        "succeeded": worker.succeeded,
        "failed": worker.failed,
        "version": worker.version,
        "is_ours": worker.is_ours,
    }


_JOB: Mapping[str, Schema] = {
    "id": TEXT, "status": TEXT, "task": MAYBE_TEXT, "queue": TEXT, "created_at": MAYBE_INSTANT,
    "enqueued_at": MAYBE_INSTANT, "started_at": MAYBE_INSTANT, "ended_at": MAYBE_INSTANT,
    "worker": MAYBE_TEXT, "timeout": MAYBE_COUNT, "retries_left": MAYBE_COUNT,
    "event": MAYBE_TEXT, "scheduled_at": MAYBE_TEXT, "is_manual": FLAG,
}  # fmt: skip
JOB = of(**_JOB)
_PROGRESS = of(
    done={"type": "number"}, total={"type": ["number", "null"]}, message=TEXT, at=INSTANT
)
_MAYBE_PROGRESS: Schema = {"oneOf": [_PROGRESS, {"type": "null"}]}
RUNNING = of(**_JOB, progress=_MAYBE_PROGRESS, heartbeat=MAYBE_INSTANT)
DETAILS = of(
    **_JOB,
    progress=_MAYBE_PROGRESS,
    error=MAYBE_TEXT,
    description={**MAYBE_TEXT, "description": "Null unless arguments are shown."},
    arguments={
        "oneOf": [
            of(args={"description": "A list."}, kwargs={"description": "An object."}),
            {"type": "null"},
        ],
    },
)


def job_shape(job: JobSummary) -> dict[str, Any]:
    """A job, without its arguments."""
    return {
        "id": job.id,
        "status": job.status,
        "task": job.task,
        "queue": job.queue,
        "created_at": utc_exact(job.created),
        "enqueued_at": utc_exact(job.enqueued),
        "started_at": utc_exact(job.started),
        "ended_at": utc_exact(job.ended),
        "worker": job.worker,
        "timeout": job.timeout,
        "retries_left": job.retries_left,
        "event": job.event,
        "scheduled_at": job.scheduled,
        "is_manual": job.is_manual,
    }


def progress_shape(progress: Progress | None) -> dict[str, Any] | None:
    """The progress of a job."""
    if progress is None:
        return None
    return {
        "done": progress.done,
        "total": progress.total,
        "message": progress.message,
        "at": utc_exact(progress.at.timestamp()),
    }


def running_shape(running: Running) -> dict[str, Any]:
    """A running job."""
    return {
        **job_shape(running.job),
        "progress": progress_shape(running.progress),
        "heartbeat": utc_exact(running.heartbeat),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
