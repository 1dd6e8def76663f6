"""The workers of queues, as RQ knows them; nothing is cleaned up by asking."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from redis import Redis
from rq.utils import as_text

from clock.ledger import keys
from clock.ledger.script import server_errors
from clock.ledger.unreadable import execute, skip, texts
from clock.ledger.values import maybe_whole
from clock.observe.instants import read_instant
from clock.observe.words import words

_PREFIX = "rq:worker:"
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
    """The living workers, by name, in two round trips. Raises LedgerError."""
    with server_errors():
        with connection.pipeline(transaction=False) as pipeline:
            pipeline.smembers("rq:workers")
            (members,) = execute(pipeline)
        names = sorted(texts("rq:workers", members))
        with connection.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.hmget(name, _FIELDS)
            replies = execute(pipeline)
    return [
        _worker(name, fields)
        for name, fields in zip(names, replies, strict=True)
        # One that was killed stays in the set; one that ended may be in it for a moment.
        if fields is not None and fields[3] is not None and not fields[7]
    ]


def _worker(key: str, fields: Sequence[bytes | None]) -> WorkerState:
    host, pid, state, queues, job, *rest = map(words, fields)
    birth, heartbeat, _, succeeded, failed, version, owner = rest
    return WorkerState(
        name=key.removeprefix(_PREFIX),
        host=host,
        pid=_count(key, "pid", pid),
        state=state or "?",
        queues=tuple((queues or "").split(",")),
        job=job,
        started=read_instant(birth),
        heartbeat=read_instant(heartbeat),
        succeeded=_count(key, "successful_job_count", succeeded) or 0,
        failed=_count(key, "failed_job_count", failed) or 0,
        version=version,
        is_ours=owner is not None,
    )


def _count(key: str, field: str, value: str | None) -> int | None:
    try:
        return maybe_whole(value, 0)
    except ValueError as error:
        skip(key, error, field)
        return None


def broken_queues(connection: Redis, queues: Iterable[str]) -> set[str]:
    """Those of ``queues`` whose key holds something else, in one round trip. Raises LedgerError."""
    names = list(dict.fromkeys(queues))
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.type(f"rq:queue:{name}")
        types = map(as_text, pipeline.execute())
    return {name for name, kind in zip(names, types, strict=True) if kind not in {"list", "none"}}


def count_workers(connection: Redis, queues: Iterable[str]) -> dict[str, int]:
    """How many live workers listen on each of ``queues``, in two round trips.

    RQ keeps a set of workers for each queue, in which one that was killed stays; its own hash
    expires some minutes after its last heartbeat. Raises LedgerError.
    """
    names = list(dict.fromkeys(queues))
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.smembers(f"rq:workers:{name}")
        listed = [sorted(texts("rq:workers", found)) for found in execute(pipeline)]
        workers = list(dict.fromkeys(worker for found in listed for worker in found))
        for worker in workers:
            pipeline.exists(worker)
        lives = dict(zip(workers, pipeline.execute(), strict=True))
    return {
        name: sum(1 for worker in found if lives[worker])
        for name, found in zip(names, listed, strict=True)
    }
