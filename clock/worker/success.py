"""The end of a job that succeeded, as the commands of RQ's own transaction.

RQ's code for it asks the server, looks into its serializers and builds its registries anew for each
job; here it is a list of commands. ``tests/worker/test_ends_like_rq.py`` compares what is stored.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from redis.client import Pipeline
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.results import Result
from rq.utils import current_timestamp

from clock.connection import rq_keys
from clock.connection.scripts import script
from clock.jobs.rq_versions import KEEPS
from clock.worker.job_hash import JobHash
from clock.worker.result import serialized
from clock.worker.taken import TakenJob

Command = Sequence[Any]

_RESULTS_KEPT = 10
"""How many results of a job RQ keeps."""


def success(taken: JobHash, execution: Execution, *, worker: str, result_ttl: int) -> list[Command]:
    """The commands that write the success of a plain job. Raises TypeError where its result cannot
    be stored.
    """
    job = taken.job
    job._status = JobStatus.FINISHED
    return _kept(taken, execution, worker, result_ttl) if result_ttl else _deleted(job)


def count_success(job: Job, worker: str) -> list[Command]:
    """The commands that add the success of ``job`` to the numbers of its worker."""
    assert job.started_at is not None
    assert job.ended_at is not None
    took = (job.ended_at - job.started_at).total_seconds()
    worker_key = rq_keys.WORKER + worker
    return [
        ("HINCRBY", worker_key, "successful_job_count", 1),
        ("HINCRBYFLOAT", worker_key, "total_working_time", took),
    ]


def _kept(taken: JobHash, execution: Execution, worker: str, ttl: int) -> list[Command]:
    job = taken.job
    results, finished = rq_keys.results(job.id), rq_keys.registry("finished", job.origin)
    score: Any = "+inf" if ttl == -1 else current_timestamp() + ttl if ttl > 0 else ttl
    commands: list[Command] = [
        ("HSET", job.key, *taken.changes()),
        ("XADD", results, "MAXLEN", "~", _RESULTS_KEPT, "*", *_result(job, execution, worker)),
        ("PERSIST", results) if ttl == -1 else ("EXPIRE", results, ttl),
        ("ZADD", finished, score, job.id),
    ]
    if ttl > 0:
        commands.append(("EXPIRE", job.key, ttl))
        # A job with dependents is ended by RQ.
        if job._dependency_ids:
            commands.append(("EXPIRE", job.dependencies_key, ttl))
    return commands


def _deleted(job: Job) -> list[Command]:
    related = (job.dependents_key, job.dependencies_key, rq_keys.results(job.id))
    return [("DEL", job.key, rq_keys.executions(job.id), *related)]


def put_back(taken: TakenJob, worker: str) -> list[Command]:
    """The commands that let a job wait at the front of its queue again, as if ``worker`` had not
    taken it.
    """
    job, owned = taken.job, taken.owned
    waits: list[Command] = [
        ("HSET", job.key, "status", JobStatus.QUEUED.value),
        ("HDEL", job.key, "started_at", "last_heartbeat", "worker_name"),
        ("LPUSH", rq_keys.QUEUE + owned.queue, owned.job),
    ]
    if job.ttl:
        waits.append(("EXPIRE", job.key, job.ttl))
    return [*waits, *delete_execution(owned.job, owned.execution, owned.queue, worker)]


def commands_of(pipeline: Pipeline) -> list[Command]:
    """The commands of a pipeline that is not executed, for ``step.lua``: a script runs no script,
    so what counts runs is named.
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


def _result(job: Job, execution: Execution, worker: str) -> list[Any]:
    fields: list[Any] = ["type", Result.Type.SUCCESSFUL.value, "worker_name", worker]
    if job._result is not None:
        fields += ("return_value", b64encode(serialized(job._result, job)))
    assert isinstance(job.ended_at, datetime)
    return [
        *fields,
        *("execution_id", execution.id),
        *("execution_started_at", repr(execution.created_at.timestamp())),
        *("execution_ended_at", repr(job.ended_at.timestamp())),
    ]


def _named(arguments: Command) -> Command:
    if arguments[0] == "EVAL" and arguments[1] == _measure():
        return ("MEASURE", *arguments[3:])
    return arguments


@cache
def _measure() -> str:
    return script("clock.ledger", "count.lua")
