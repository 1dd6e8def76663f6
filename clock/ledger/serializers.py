"""The serializers at both ends of a queue: a clock and a worker with different ones are warned of.

A clock records its own for each queue it enqueues into, a worker of this package in the hash that
RQ keeps of it. RQ's own worker records none, so nothing is known of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from redis import Redis
from rq.serializers import DefaultSerializer, JSONSerializer, resolve_serializer

from clock import keys
from clock.connection import rq_keys
from clock.connection.errors import server_errors
from clock.errors import ServerError
from clock.ledger.unreadable import execute, readable, texts

WORKER_FIELD = "clock_serializer"
"""The field of a worker's hash that holds the name of its serializer; it goes with the hash."""

SHOWN = 3
"""Workers or applications named in one warning."""

_REMEDY = "start both with one -S, or one SERIALIZER in the settings"
_SHORT = {DefaultSerializer: "pickle", JSONSerializer: "json"}


def serializer_name(serializer: Any) -> str:
    """The name of a serializer given as a name for ``-S``, a class, a module or an object."""
    resolved: Any = resolve_serializer(serializer)
    for known, short in _SHORT.items():
        if resolved is known:
            return short
    if hasattr(resolved, "__spec__"):
        return str(resolved.__name__)
    kind = resolved if isinstance(resolved, type) else type(resolved)
    return f"{kind.__module__}.{kind.__qualname__}"


def meet_workers(
    connection: Redis, *, app: str, serializer: Any, queues: Iterable[str]
) -> list[str]:
    """Record the serializer of a starting clock for ``queues``, and compare it with their workers'.

    Returns at most one sentence, about the workers that read with another serializer, and none
    where the server is away or denies access.
    """
    names, ours = sorted(set(queues)), serializer_name(serializer)
    with suppress(ServerError):
        _record(connection, app, ours, names)
        others = _others(_of_workers(connection, names), ours)
        if others:
            listed = _listed("worker", others)
            return [f"this clock writes {ours}, but {listed}: they fail its jobs; {_REMEDY}"]
    return []


def meet_clocks(
    connection: Redis, *, worker_key: str, serializer: Any, queues: Iterable[str]
) -> list[str]:
    """Record the serializer of a starting worker in its hash ``worker_key``, which RQ has made, and
    compare it with those of the clocks that enqueue into ``queues``.

    Returns at most one sentence, about the clocks that write with another serializer, and none
    where the server is away or denies access.
    """
    names, ours = sorted(set(queues)), serializer_name(serializer)
    with suppress(ServerError):
        with server_errors():
            connection.hset(worker_key, WORKER_FIELD, ours)
        others = _others(_of_clocks(connection, names), ours)
        if others:
            listed = _listed("clock", others)
            return [f"this worker reads {ours}, but {listed}: it fails their jobs; {_REMEDY}"]
    return []


def _others(serializers: Mapping[str, str], ours: str) -> dict[str, str]:
    return {name: theirs for name, theirs in serializers.items() if theirs != ours}


def _record(connection: Redis, app: str, serializer: str, queues: Sequence[str]) -> None:
    with server_errors(), connection.pipeline() as pipeline:
        for queue in queues:
            pipeline.hset(keys.serializers(queue), app, serializer)
            pipeline.expire(keys.serializers(queue), keys.SERIALIZERS_TTL)
        pipeline.execute()


def _of_workers(connection: Redis, queues: Sequence[str]) -> dict[str, str]:
    """The serializer of each live worker of ``queues`` that recorded one."""
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        for queue in queues:
            pipeline.smembers(rq_keys.workers_of(queue))
        members_by_queue = zip(queues, execute(pipeline), strict=True)
        listed = [texts(rq_keys.workers_of(queue), members) for queue, members in members_by_queue]
        workers = sorted(set().union(*listed))
        for worker in workers:
            pipeline.hmget(worker, WORKER_FIELD, "death")
        replies = zip(workers, execute(pipeline), strict=True)
    return {
        worker.removeprefix(rq_keys.WORKER): serializer
        for worker, fields in replies
        if fields is not None and not fields[1]
        for serializer in texts(worker, fields[:1] if fields[0] else ())
    }


def _of_clocks(connection: Redis, queues: Sequence[str]) -> dict[str, str]:
    """The serializer of each application whose clock enqueues into one of ``queues``."""
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        for queue in queues:
            pipeline.hgetall(keys.serializers(queue))
        replies = execute(pipeline)
    written: dict[str, str] = {}
    for queue, reply in zip(queues, replies, strict=True):
        written |= readable(keys.serializers(queue), reply, lambda _app, serializer: serializer)
    return written


def _listed(noun: str, others: Mapping[str, str]) -> str:
    """``the worker a reads pickle``, ``the workers a, b and 2 more read pickle, my.own``."""
    verb = "read" if noun == "worker" else "write"
    names = sorted(others)
    shown = ", ".join(names[:SHOWN])
    if len(names) > SHOWN:
        shown = f"{shown} and {len(names) - SHOWN} more"
    many = len(names) > 1
    listing = ", ".join(sorted(set(others.values())))
    return f"the {noun}{'s' if many else ''} {shown} {verb}{'' if many else 's'} {listing}"
