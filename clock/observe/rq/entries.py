"""The entries of jobs in a state, across queues: RQ keeps a list or a registry for each queue."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import chain
from typing import Any

from redis import Redis
from rq.utils import as_text

from clock.connection import rq_keys
from clock.ledger.unreadable import execute, texts
from clock.observe.rq.cursor import Cursor
from clock.observe.rq.rate_limits import read_limited

CHUNK = 500
"""Entries read of a queue at once."""


class Stage(StrEnum):
    """The state of a job, as RQ names it."""

    QUEUED = "queued"
    STARTED = "started"
    SCHEDULED = "scheduled"
    DEFERRED = "deferred"
    FINISHED = "finished"
    FAILED = "failed"
    """Stopped jobs too."""
    CANCELED = "canceled"
    RATE_LIMITED = "rate_limited"
    """RQ 3 and later: it waits until fewer jobs of its rate limit wait or run."""
    READY = "ready_to_enqueue"
    """RQ 3 and later: its dependencies have ended, and it is about to be put on its queue."""


_REGISTRIES = {
    Stage.STARTED: "wip",
    Stage.SCHEDULED: "scheduled",
    Stage.DEFERRED: "deferred",
    Stage.FINISHED: "finished",
    Stage.FAILED: "failed",
    Stage.CANCELED: "canceled",
    Stage.READY: "ready",
}

_EXPIRING = {Stage.DEFERRED, Stage.FINISHED, Stage.FAILED}

_OLDEST_FIRST = {Stage.STARTED, Stage.SCHEDULED, Stage.READY}

_FURTHEST = 2**40


def read_entries(
    connection: Redis,
    queues: Sequence[str],
    state: Stage,
    *,
    now: float,
    after: Cursor | None = None,
    chunk: int = CHUNK,
) -> tuple[int, Iterator[Cursor]]:
    """How many jobs of ``queues`` are in ``state``, and where each stands, from ``after`` on.

    Queued ones come queue by queue in their order, started and scheduled ones by time, the others
    with those that RQ keeps longest first. At most ``chunk`` of a queue are read at once: three
    round trips, and one more whenever those of a queue are used up. Expired ones are left out.
    Raises what the client raises, also while the entries are read.
    """
    if after is not None and not after.queue and len(queues) == 1:
        after = after._replace(queue=queues[0])
    if state is Stage.QUEUED:
        return _waiting(connection, sorted(queues), after, chunk)
    if state is Stage.RATE_LIMITED:
        return _limited(connection, set(queues), after)
    return _registered(connection, queues, state, now, after, chunk)


def job_of(entry: Cursor) -> str:
    """The id of the job of an entry, which may be of an execution: ``<job>:<execution>``."""
    return entry.member.partition(":")[0]


def _waiting(
    connection: Redis, queues: Sequence[str], after: Cursor | None, chunk: int
) -> tuple[int, Iterator[Cursor]]:
    with connection.pipeline(transaction=False) as pipeline:
        for queue in queues:
            pipeline.type(rq_keys.QUEUE + queue)
        kinds = map(as_text, pipeline.execute())
        lists = [queue for queue, kind in zip(queues, kinds, strict=True) if kind == "list"]
        for queue in lists:
            pipeline.llen(rq_keys.QUEUE + queue)
        total = sum(filter(None, execute(pipeline)))
    start = 0
    if after is not None:
        lists = [queue for queue in lists if queue >= after.queue]
    if after is not None and lists[:1] == [after.queue]:
        # Queued jobs only move towards the head. Where the last job of the page before is gone, so
        # are those before it, apart from jobs that were put at the front or removed.
        most = int(min(after.score, _FURTHEST)) + 1
        at: Any = connection.lpos(rq_keys.QUEUE + after.queue, after.member, maxlen=most)
        start = 0 if at is None else at + 1
    starts = [start, *[0] * len(lists)]
    streams = [_listed(connection, *pair, chunk) for pair in zip(lists, starts, strict=False)]
    return total, chain.from_iterable(streams)


def _listed(connection: Redis, queue: str, start: int, chunk: int) -> Iterator[Cursor]:
    key = rq_keys.QUEUE + queue
    while True:
        members = connection.lrange(key, start, start + chunk - 1)
        for at, member in enumerate(members, start):
            for identifier in texts(key, [member]):
                yield Cursor(at, identifier, queue)
        if len(members) < chunk:
            return
        start += chunk


def _limited(
    connection: Redis, queues: set[str], after: Cursor | None
) -> tuple[int, Iterator[Cursor]]:
    all_ = [job for job in read_limited(connection) if job.queue in queues]
    last = (-math.inf, "") if after is None else after[:2]
    return len(all_), (Cursor(*job) for job in all_ if job[:2] > last)


def _registered(
    connection: Redis,
    queues: Sequence[str],
    state: Stage,
    now: float,
    after: Cursor | None,
    chunk: int,
) -> tuple[int, Iterator[Cursor]]:
    is_upwards = state in _OLDEST_FIRST
    lowest = now if state in _EXPIRING else "-inf"
    keys = {queue: rq_keys.registry(_REGISTRIES[state], queue) for queue in queues}
    with connection.pipeline(transaction=False) as pipeline:
        for key in keys.values():
            pipeline.zcount(key, lowest, "+inf")
        counts = [count or 0 for count in execute(pipeline)]
        filled = {
            queue: key for (queue, key), count in zip(keys.items(), counts, strict=True) if count
        }
        starts = (
            [0] * len(filled) if after is None else _starts(pipeline, filled, after, is_upwards)
        )
        for key, start in zip(filled.values(), starts, strict=True):
            pipeline.zrange(key, start, start + chunk - 1, desc=not is_upwards, withscores=True)
        firsts = execute(pipeline)
    ends = list(filter(None, counts))
    streams = [
        _stream(connection, queue, key, start, end, first or [], chunk, is_upwards)
        for (queue, key), start, end, first in zip(
            filled.items(), starts, ends, firsts, strict=True
        )
    ]
    merged = heapq.merge(*streams, reverse=not is_upwards)
    return sum(counts), (entry for entry in merged if _is_behind(entry, after, is_upwards))


def _is_behind(entry: Cursor, after: Cursor | None, is_upwards: bool) -> bool:
    return after is None or (entry > after if is_upwards else entry < after)


def _starts(pipeline: Any, keys: dict[str, str], after: Cursor, is_upwards: bool) -> list[int]:
    """The ranks from which what comes after ``after`` is found."""
    # Where the last job of the page before is gone: after all with an earlier score.
    before = ("-inf", f"({after.score!r}") if is_upwards else (f"({after.score!r}", "+inf")
    for queue, key in keys.items():
        pipeline.zcount(key, *before)
        if queue == after.queue:
            (pipeline.zrank if is_upwards else pipeline.zrevrank)(key, after.member)
    replies = iter(execute(pipeline))
    starts = []
    for queue in keys:
        earlier = next(replies) or 0
        rank = next(replies) if queue == after.queue else None
        starts.append(earlier if rank is None else rank + 1)
    return starts


def _stream(
    connection: Redis,
    queue: str,
    key: str,
    start: int,
    end: int,
    entries: Any,
    chunk: int,
    is_upwards: bool,
) -> Iterator[Cursor]:
    while True:
        for raw, score in entries[: end - start]:
            for member in texts(key, [raw]):
                yield Cursor(score, member, queue)
        start += chunk
        if len(entries) < chunk or start >= end:
            return
        entries = connection.zrange(
            key, start, start + chunk - 1, desc=not is_upwards, withscores=True
        )
