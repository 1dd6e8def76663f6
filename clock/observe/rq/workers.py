"""The workers of RQ; reading cleans nothing up."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.client import Pipeline
from rq.utils import as_text

from clock import keys
from clock.connection import rq_keys
from clock.connection.errors import server_errors
from clock.ledger.unreadable import execute, reply_about, skip, texts
from clock.ledger.values import maybe_whole, number
from clock.observe.rq.fields import display_text, read_timestamp

_FIELDS = (
    "hostname", "pid", "state", "queues", "current_job", "birth", "last_heartbeat", "death",
    "successful_job_count", "failed_job_count", "version",
    keys.PROCESSES, keys.MEMORY, keys.CPU, keys.LOAD, keys.SUPPORTS, keys.OWNER,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerState:
    """A worker. Instants are UTC seconds since 1970; None stands for what RQ does not know.

    ``state`` is RQ's, ``job`` the id of the job it runs. ``is_ours`` says that it is a worker of
    this package, ``supports_pauses`` that it takes no jobs from paused queues. ``succeeded`` and
    ``failed`` count since its start.

    One of this package on Linux says how many ``processes`` it has, how many bytes of ``memory``
    they use, how many processor seconds (``cpu``) they took since its start, and how many
    processors they kept busy (``load``) in the last 15 seconds or so; None for any other.
    """

    name: str
    host: str | None
    pid: int | None
    state: str
    queues: tuple[str, ...]
    job: str | None
    started: float | None
    heartbeat: float | None
    succeeded: int
    failed: int
    version: str | None
    is_ours: bool
    supports_pauses: bool
    processes: int | None = None
    memory: int | None = None
    cpu: float | None = None
    load: float | None = None


def read_workers(connection: Redis) -> list[WorkerState]:
    """The live workers by name, in three round trips; four where one seems to run several jobs.

    Raises ServerError.
    """
    with server_errors():
        members = reply_about(rq_keys.WORKERS, connection.smembers)
        names = sorted(texts(rq_keys.WORKERS, members))
        with connection.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.hmget(name, _FIELDS)
                pipeline.smembers(rq_keys.executions_of_worker(name.removeprefix(rq_keys.WORKER)))
            replies = execute(pipeline)
        asked = dict(zip(names, replies[::2], strict=True))
        jobs = _jobs(connection, names, replies[1::2])
        owners = {name: fields[-1] for name, fields in asked.items() if fields is not None}
        silent = _silent(connection, owners)
    return [
        _worker(name, fields, job)
        for (name, fields), job in zip(asked.items(), jobs, strict=True)
        # A killed worker stays in the set; a stopped one may be in it for a moment.
        if fields is not None and fields[3] is not None and not fields[7] and name not in silent
    ]


def _jobs(
    connection: Redis, workers: Sequence[str], executions: Sequence[Collection[bytes] | None]
) -> list[str | None]:
    """The job of each worker of RQ 3, by its executions; None where it has none.

    A killed worker leaves an execution behind, which a successor with its name seems to have.
    """
    listed = [texts(worker, entries) for worker, entries in zip(workers, executions, strict=True)]
    several = sorted({entry for entries in listed if len(entries) > 1 for entry in entries})
    gone = set()
    if several:
        with connection.pipeline(transaction=False) as pipeline:
            for entry in several:
                pipeline.exists(rq_keys.execution(entry))
            existence = zip(several, pipeline.execute(), strict=True)
            gone = {entry for entry, is_there in existence if not is_there}
    left = [sorted({*entries} - gone) for entries in listed]
    return [entries[0].partition(":")[0] if entries else None for entries in left]


def _worker(key: str, fields: Sequence[bytes | None], running: str | None) -> WorkerState:
    host, pid, state, queues, job, *rest = map(display_text, fields)
    birth, heartbeat, _, succeeded, failed, version, *used, supports, owner = rest
    processes, memory, cpu, load = used
    return WorkerState(
        name=key.removeprefix(rq_keys.WORKER),
        host=host,
        pid=_count(key, "pid", pid),
        state=state or "?",
        queues=tuple((queues or "").split(",")),
        job=None if state == "idle" else running or job,
        started=read_timestamp(birth),
        heartbeat=read_timestamp(heartbeat),
        succeeded=_count(key, "successful_job_count", succeeded) or 0,
        failed=_count(key, "failed_job_count", failed) or 0,
        version=version,
        is_ours=owner is not None,
        supports_pauses=supports == "pauses",
        processes=_count(key, keys.PROCESSES, processes),
        memory=_count(key, keys.MEMORY, memory),
        cpu=_seconds(key, keys.CPU, cpu),
        load=_seconds(key, keys.LOAD, load),
    )


def _count(key: str, field: str, value: str | None) -> int | None:
    try:
        return maybe_whole(value, 0)
    except ValueError as error:
        skip(key, error, field)
        return None


def _seconds(key: str, field: str, value: str | None) -> float | None:
    try:
        return None if value is None else max(0.0, number(value))
    except ValueError as error:
        skip(key, error, field)
        return None


def broken_queues(connection: Redis, queues: Iterable[str]) -> set[str]:
    """Those ``queues`` whose key holds another type, in one round trip. Raises ServerError."""
    names = list(dict.fromkeys(queues))
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.type(rq_keys.QUEUE + name)
        types = map(as_text, pipeline.execute())
    return {name for name, kind in zip(names, types, strict=True) if kind not in {"list", "none"}}


def count_workers(connection: Redis, queues: Iterable[str]) -> dict[str, int]:
    """How many live workers listen on each of ``queues``, in three round trips.

    A killed worker stays in RQ's set of the queue's workers. Raises ServerError.
    """
    names = list(dict.fromkeys(queues))
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.smembers(rq_keys.workers_of(name))
        replies = zip(names, execute(pipeline), strict=True)
        listed = [sorted(texts(rq_keys.workers_of(name), members)) for name, members in replies]
        workers = list(dict.fromkeys(worker for members in listed for worker in members))
        ask_workers(pipeline, workers)
        alive = alive_workers(connection, workers, execute(pipeline))
    return {
        name: sum(1 for worker in members if worker in alive)
        for name, members in zip(names, listed, strict=True)
    }


def ask_workers(pipeline: Pipeline, workers: Iterable[str]) -> None:
    """Ask what ``alive_workers`` needs of ``workers``, the keys of their hashes."""
    for worker in workers:
        pipeline.exists(worker)
        pipeline.hget(worker, keys.OWNER)


def alive_workers(connection: Redis, workers: Sequence[str], replies: Sequence[Any]) -> set[str]:
    """Those of ``workers`` that are alive, in one more round trip if any is of this package.

    A worker's hash expires some minutes after its last heartbeat. A worker of this package counts
    as dead ``keys.HEARTBEAT_TTL`` seconds after it. Raises what the client raises.
    """
    owners = dict(zip(workers, replies[1::2], strict=True))
    silent = _silent(connection, owners)
    return {
        worker
        for worker, is_there in zip(workers, replies[::2], strict=True)
        if is_there and worker not in silent
    }


def _silent(connection: Redis, owners: Mapping[str, bytes | None]) -> set[str]:
    """Workers of this package without a heartbeat; ``owners`` are the identities by key."""
    ours = {
        worker: identity
        for worker, owner in owners.items()
        for identity in texts(worker, () if owner is None else (owner,))
    }
    if not ours:
        return set()
    with connection.pipeline(transaction=False) as pipeline:
        for identity in ours.values():
            pipeline.exists(keys.heartbeat(identity))
        heartbeats = zip(ours, pipeline.execute(), strict=True)
    return {worker for worker, is_alive in heartbeats if not is_alive}
