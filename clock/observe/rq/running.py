"""Running jobs and their progress; reading cleans nothing up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from redis import Redis
from rq.job import Job

from clock import keys
from clock.connection import rq_keys
from clock.connection.errors import server_errors
from clock.ledger.unreadable import execute, skip, texts
from clock.ledger.values import instant
from clock.observe.rq.jobs import FIELDS, JobSummary, summary_of
from clock.observe.rq.queues import queue_names
from clock.runs.progress import Progress, parse_progress

MOST = 200
"""Running jobs read of a queue, those started first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A running job: its progress, where its task reports it, and the last heartbeat of its worker
    (UTC seconds since 1970), None where there is none any more.
    """

    job: JobSummary
    progress: Progress | None
    heartbeat: float | None


def read_running(
    connection: Redis, queues: Iterable[str] | None = None, most: int = MOST
) -> list[Running]:
    """The running jobs of ``queues``, or of all RQ knows, those started first in front.

    Three round trips at most. Raises ServerError.
    """
    with server_errors():
        names = sorted(queue_names(connection) if queues is None else set(queues))
        with connection.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.zrange(rq_keys.registry("wip", name), 0, most - 1)
            entries = execute(pipeline)
        executions = [
            execution
            for name, members in zip(names, entries, strict=True)
            for execution in texts(rq_keys.registry("wip", name), members)
        ]
        with connection.pipeline(transaction=False) as pipeline:
            for execution in executions:
                identifier = execution.partition(":")[0]
                pipeline.hmget(Job.key_for(identifier), FIELDS)
                pipeline.hgetall(keys.progress(identifier))
                pipeline.hget(rq_keys.execution(execution), "last_heartbeat")
            replies = iter(execute(pipeline))
    running = []
    for execution, fields, progress, beat in zip(
        executions, replies, replies, replies, strict=False
    ):
        identifier = execution.partition(":")[0]
        job = summary_of(identifier, fields)
        if job is not None:
            parsed = parse_progress(identifier, progress)
            running.append(Running(job=job, progress=parsed, heartbeat=_heartbeat(execution, beat)))
    return sorted(running, key=lambda run: run.job.started or 0.0)


def _heartbeat(execution: str, beat: bytes | None) -> float | None:
    try:
        return instant(beat) if beat else None
    except ValueError as error:
        skip(execution, error, "last_heartbeat")
        return None
