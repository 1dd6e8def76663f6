"""The workers of queues, as RQ knows them; nothing is cleaned up by asking."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.client import Pipeline
from rq.utils import as_text

from clock import rq_keys
from clock.ledger import keys
from clock.ledger.script import server_errors
from clock.observe.instants import read_instant

_FIELDS = (
    "hostname", "pid", "state", "queues", "current_job", "birth", "last_heartbeat", "death",
    "successful_job_count", "failed_job_count", "version", keys.OWNER,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerState:
    """A worker. Instants are UTC seconds since 1970; None is for what RQ does not say.

    ``state`` is RQ's word, ``job`` the id of the job it runs. ``is_ours`` says that it is one of
    this package. ``succeeded`` and ``failed`` are counted since it started.
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


def read_workers(connection: Redis) -> list[WorkerState]:
    """The living workers, by name, in three round trips; four where a worker seems to run several
    jobs at once. Raises LedgerError.
    """
    with server_errors():
        names = sorted(as_text(key) for key in connection.smembers(rq_keys.WORKERS))
        with connection.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.hmget(name, _FIELDS)
                pipeline.smembers(rq_keys.executions_of_worker(name.removeprefix(rq_keys.WORKER)))
            replies = pipeline.execute()
        asked = dict(zip(names, replies[::2], strict=True))
        jobs = _jobs(connection, replies[1::2])
        silent = _silent(connection, {name: fields[-1] for name, fields in asked.items()})
    return [
        _worker(name.removeprefix(rq_keys.WORKER), fields, job)
        for (name, fields), job in zip(asked.items(), jobs, strict=True)
        # One that was killed stays in the set; one that ended may be in it for a moment.
        if fields[3] is not None and not fields[7] and name not in silent
    ]


def _jobs(connection: Redis, executions: Sequence[Collection[bytes]]) -> list[str | None]:
    """The job of each worker of RQ 3, by its executions; None where it has none.

    A worker that was killed leaves one behind, which a successor of its name seems to have.
    """
    several = sorted({as_text(entry) for found in executions if len(found) > 1 for entry in found})
    gone = set()
    if several:
        with connection.pipeline(transaction=False) as pipeline:
            for entry in several:
                pipeline.exists(rq_keys.execution(entry))
            found = zip(several, pipeline.execute(), strict=True)
            gone = {entry for entry, is_there in found if not is_there}
    left = [sorted({*map(as_text, entries)} - gone) for entries in executions]
    return [entries[0].partition(":")[0] if entries else None for entries in left]


def _worker(name: str, fields: Sequence[bytes | None], running: str | None) -> WorkerState:
    host, pid, state, queues, job, *rest = (as_text(each) if each else None for each in fields)
    birth, heartbeat, _, succeeded, failed, version, owner = rest
    return WorkerState(
        name=name,
        host=host,
        pid=int(pid) if pid and pid.isdecimal() else None,
        state=state or "?",
        queues=tuple((queues or "").split(",")),
        job=None if state == "idle" else running or job,
        started=read_instant(birth),
        heartbeat=read_instant(heartbeat),
        succeeded=int(succeeded or 0),
        failed=int(failed or 0),
        version=version,
        is_ours=owner is not None,
    )


def broken_queues(connection: Redis, queues: Iterable[str]) -> set[str]:
    """Those of ``queues`` whose key holds something else, in one round trip. Raises LedgerError."""
    names = list(dict.fromkeys(queues))
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.type(rq_keys.QUEUE + name)
        types = map(as_text, pipeline.execute())
    return {name for name, kind in zip(names, types, strict=True) if kind not in {"list", "none"}}


def count_workers(connection: Redis, queues: Iterable[str]) -> dict[str, int]:
    """How many live workers listen on each of ``queues``, in three round trips.

    RQ keeps a set of workers for each queue, in which one that was killed stays. Raises
    LedgerError.
    """
    names = list(dict.fromkeys(queues))
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.smembers(rq_keys.workers_of(name))
        listed = [sorted(map(as_text, found)) for found in pipeline.execute()]
        workers = list(dict.fromkeys(worker for found in listed for worker in found))
        ask_workers(pipeline, workers)
        alive = alive_workers(connection, workers, pipeline.execute())
    return {
        name: sum(1 for worker in found if worker in alive)
        for name, found in zip(names, listed, strict=True)
    }


def ask_workers(pipeline: Pipeline, workers: Iterable[str]) -> None:
    """Ask what ``alive_workers`` needs to know of ``workers``, the keys of their hashes."""
    for worker in workers:
        pipeline.exists(worker)
        pipeline.hget(worker, keys.OWNER)


def alive_workers(connection: Redis, workers: Sequence[str], replies: Sequence[Any]) -> set[str]:
    """Those of ``workers`` that are alive, in one more round trip if any of them is ours.

    A worker's hash expires some minutes after its last heartbeat. One of ours is known to be dead
    ``keys.PRESENCE`` seconds after its last sign of life. Raises what the client raises.
    """
    owners = dict(zip(workers, replies[1::2], strict=True))
    silent = _silent(connection, owners)
    return {
        worker
        for worker, is_there in zip(workers, replies[::2], strict=True)
        if is_there and worker not in silent
    }


def _silent(connection: Redis, owners: Mapping[str, bytes | None]) -> set[str]:
    """Those of our workers that give no sign of life; ``owners`` are their identities, by key."""
    ours = {worker: as_text(owner) for worker, owner in owners.items() if owner is not None}
    if not ours:
        return set()
    with connection.pipeline(transaction=False) as pipeline:
        for identity in ours.values():
            pipeline.exists(keys.presence(identity))
        signs = pipeline.execute()
    return {worker for worker, sign in zip(ours, signs, strict=True) if not sign}
