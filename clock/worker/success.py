"""The end of a job that succeeded: what RQ's own transaction writes.

RQ's code for it asks the server, looks into its serializers and builds its registries anew for each
job; here it is a few values, which ``step.lua`` writes. ``tests/worker/test_ends_like_rq.py``
compares what is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from redis.client import Pipeline
from rq.job import JobStatus

from clock.connection import rq_keys
from clock.connection.scripts import script
from clock.jobs.rq_versions import KEEPS
from clock.worker.job_hash import JobHash
from clock.worker.result import serialized
from clock.worker.step import Success
from clock.worker.taken import TakenJob

Command = Sequence[Any]

TRENDS = "TRENDS"
"""Before the arguments of ``trends.lua``: a command of ``step.lua``."""


def success_of(
    stored: JobHash, began: datetime, ended: datetime, *, result: Any, ttl: int
) -> Success:
    """What is written of the plain job in ``stored``, which ran between these two instants. Raises
    TypeError where its result cannot be stored.
    """
    job = stored.job
    payload = None if result is None or not ttl else serialized(result, job)
    job._status = JobStatus.FINISHED
    return Success(
        stored.changes() if ttl else (),
        payload,
        ttl,
        began.timestamp(),
        ended.timestamp(),
        (ended - began).total_seconds(),
        bool(job._dependency_ids),
    )


def put_back(taken: TakenJob) -> list[Command]:
    """The commands that let a job wait at the front of its queue again, as if it had not been
    taken.
    """
    job, owned = taken.job, taken.owned
    waits: list[Command] = [
        ("HSET", job.key, "status", JobStatus.QUEUED.value),
        ("HDEL", job.key, "started_at", "last_heartbeat", "worker_name"),
        ("LPUSH", rq_keys.QUEUE + owned.queue, owned.job),
    ]
    if job.ttl:
        waits.append(("EXPIRE", job.key, job.ttl))
    return waits


def commands_of(pipeline: Pipeline) -> list[Command]:
    """The commands of a pipeline that is not executed, for ``step.lua``: a script runs no script,
    so what counts runs, and what keeps their output, is named.
    """
    return [_named(arguments) for arguments, _ in pipeline.command_stack]


def delete_execution(job: str, execution: str, queue: str, worker: str) -> list[Command]:
    """The commands by which RQ deletes an execution."""
    entry = f"{job}:{execution}"
    deleted: list[Command] = [
        ("DEL", rq_keys.execution(entry)),
        ("ZREM", rq_keys.registry("wip", queue), entry),
        ("ZREM", rq_keys.executions(job), execution),
    ]
    if "x" in KEEPS:
        deleted.append(("SREM", rq_keys.executions_of_worker(worker), entry))
    if "c" in KEEPS:
        deleted.append(("HDEL", rq_keys.WORKER + worker, "current_job"))
    return deleted


def _named(arguments: Command) -> Command:
    name = _scripts().get(arguments[1]) if arguments[0] == "EVAL" else None
    return arguments if name is None else (name, *arguments[3:])


@cache
def _scripts() -> dict[str, str]:
    return {
        script("clock.ledger", "count.lua"): "MEASURE",
        script("clock.runs", "output.lua"): "OUTPUT",
    }
