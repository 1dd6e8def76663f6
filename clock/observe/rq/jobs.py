"""Jobs by state, a page at a time, and one job; nothing is cleaned up by asking."""

from __future__ import annotations

import math
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from redis import Redis
from rq.job import Job
from rq.utils import as_text

from clock import keys
from clock.connection import rq_keys
from clock.connection.errors import server_errors
from clock.ledger.unreadable import execute, skip, texts
from clock.ledger.values import maybe_whole
from clock.observe.rq.cursor import Cursor, read_cursor
from clock.observe.rq.instants import read_instant
from clock.observe.rq.payload import inflate, read_arguments, read_meta, read_task
from clock.observe.rq.rate_limits import read_limited
from clock.observe.rq.words import words

PAGE = 50
"""Jobs on a page."""

LONGEST_ERROR = 100_000
"""Bytes of an error that are shown."""

LARGEST_PAGE = 200
"""Jobs on a page at most: each is read with its arguments."""


class Stage(StrEnum):
    """Where a job is, in RQ's words."""

    QUEUED = "queued"
    STARTED = "started"
    SCHEDULED = "scheduled"
    DEFERRED = "deferred"
    FINISHED = "finished"
    FAILED = "failed"
    """Stopped ones are among these."""
    CANCELED = "canceled"
    RATE_LIMITED = "rate_limited"
    """From RQ 3 on, as is the next: it waits until fewer jobs of its rate limit wait or run."""
    READY = "ready_to_enqueue"
    """What it waited for has ended, and it is about to be put on its queue."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSummary:
    """A job, without its arguments. Instants are UTC seconds since 1970, None where it did not come
    so far.

    ``status`` is RQ's word. ``task`` is None where it cannot be told, ``event`` and ``scheduled``
    (ISO 8601) where no clock enqueued it.
    """

    id: str
    status: str
    task: str | None
    queue: str
    created: float | None
    enqueued: float | None
    started: float | None
    ended: float | None
    worker: str | None
    timeout: int | None
    retries_left: int | None
    event: str | None
    scheduled: str | None
    is_manual: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDetails:
    """One job whole. ``error`` is its last error as RQ keeps it, a traceback. ``arguments`` are its
    positional and named ones, None where they are not plain values.
    """

    summary: JobSummary
    description: str | None
    error: str | None
    arguments: tuple[Any, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """Some jobs in a state, how many there are in all, and the cursor of the next page, None after
    the last.
    """

    jobs: tuple[JobSummary, ...]
    total: int
    next: str | None


FIELDS = (
    "status", "data", "meta", "origin", "created_at", "enqueued_at", "started_at", "ended_at",
    "worker_name", "timeout", "retries_left",
)  # fmt: skip


def read_jobs(
    connection: Redis,
    queue: str,
    state: Stage,
    *,
    now: float,
    cursor: str | None = None,
    limit: int = PAGE,
) -> JobPage:
    """The jobs of ``queue`` in ``state``, from ``cursor`` on: what waits in its order, what runs or
    is scheduled by its time, the rest with what RQ keeps longest first.

    Four round trips at most. Jobs come and go between two pages: one that is there all the time is
    on one of them, and may be on two. What has expired is passed over, so a page may have fewer
    jobs than ``limit``. Raises CursorError, and ServerError.
    """
    start = None if cursor is None else read_cursor(cursor)
    with server_errors():
        if state is Stage.QUEUED:
            total, ids, following = _waiting(connection, rq_keys.QUEUE + queue, start, limit)
        elif state is Stage.RATE_LIMITED:
            total, ids, following = _limited(connection, queue, start, limit)
        else:
            key = rq_keys.registry(_REGISTRIES[state], queue)
            total, ids, following = _registered(connection, key, state, now, start, limit)
        summaries = read_summaries(connection, ids)
    return JobPage(
        jobs=tuple(summary for summary in summaries if summary is not None),
        total=total,
        next=None if following is None else str(following),
    )


def read_summaries(connection: Redis, ids: Sequence[str]) -> list[JobSummary | None]:
    """The jobs called ``ids`` in one round trip; None for those RQ keeps no more.

    Raises what the client raises.
    """
    with connection.pipeline(transaction=False) as pipeline:
        for identifier in ids:
            pipeline.hmget(Job.key_for(identifier), FIELDS)
        replies = execute(pipeline)
    return [summary_of(identifier, reply) for identifier, reply in zip(ids, replies, strict=True)]


def read_details(connection: Redis, identifier: str) -> JobDetails | None:
    """The job called ``identifier`` in one round trip; None where RQ keeps it no more.

    Raises ServerError.
    """
    with server_errors(), connection.pipeline(transaction=True) as pipeline:
        pipeline.hmget(Job.key_for(identifier), (*FIELDS, "description"))
        pipeline.xrevrange(rq_keys.results(identifier), count=1)
        fields, results = execute(pipeline)
    summary = summary_of(identifier, fields)
    if summary is None or fields is None:
        return None
    return JobDetails(
        summary=summary,
        description=words(fields[len(FIELDS)]),
        error=_error(identifier, results),
        arguments=read_arguments(fields[1]),
    )


def summary_of(identifier: str, fields: Sequence[bytes | None] | None) -> JobSummary | None:
    """A job from its ``FIELDS``; None for one that is not there."""
    if fields is None:
        return None
    status, data, meta, queue, created, enqueued, started, ended, worker, timeout, left, *_ = fields
    if status is None and data is None:
        return None
    mark = read_meta(meta).get(keys.OCCURRENCE_META)
    occurrence: Mapping[str, Any] = mark if isinstance(mark, Mapping) else {}
    return JobSummary(
        id=identifier,
        status=words(status) or "created",
        task=read_task(data),
        queue=words(queue) or "",
        created=read_instant(created),
        enqueued=read_instant(enqueued),
        started=read_instant(started),
        ended=read_instant(ended),
        worker=words(worker),
        timeout=_number(identifier, "timeout", timeout),
        retries_left=_number(identifier, "retries_left", left),
        event=_string(occurrence, "event"),
        scheduled=_string(occurrence, "scheduled_at"),
        is_manual=occurrence.get("manual") is True,
    )


_FURTHEST = 2**40
_Page = tuple[int, list[str], Cursor | None]


def _waiting(connection: Redis, key: str, cursor: Cursor | None, limit: int) -> _Page:
    start = 0
    if as_text(connection.type(key)) not in {"list"}:
        return 0, [], None
    if cursor is not None:
        # What waits only comes nearer to the head. Where the last job seen is gone from there, so
        # is, but for what was put at the front or taken away, all that was before it.
        at: Any = connection.lpos(key, cursor.member, maxlen=int(min(cursor.score, _FURTHEST)) + 1)
        start = 0 if at is None else at + 1
    with connection.pipeline(transaction=False) as pipeline:
        pipeline.llen(key)
        pipeline.lrange(key, start, start + limit - 1)
        total, waiting = pipeline.execute()
    ids = texts(key, waiting)
    last = start + len(ids)
    return total, ids, Cursor(last - 1, ids[-1]) if ids and last < total else None


def _limited(connection: Redis, queue: str, cursor: Cursor | None, limit: int) -> _Page:
    all_ = [job for job in read_limited(connection) if job.queue == queue]
    last = (cursor.score, cursor.member) if cursor is not None else (-math.inf, "")
    left = [job for job in all_ if job[:2] > last]
    some = left[:limit]
    following = Cursor(some[-1].since, some[-1].id) if len(left) > limit else None
    return len(all_), [job.id for job in some], following


def _registered(
    connection: Redis, key: str, state: Stage, now: float, cursor: Cursor | None, limit: int
) -> _Page:
    is_upwards = state in _OLDEST_FIRST
    start = 0
    if cursor is not None:
        with connection.pipeline(transaction=False) as pipeline:
            (pipeline.zrank if is_upwards else pipeline.zrevrank)(key, cursor.member)
            # Where the last one seen is gone: behind all that were before it for certain.
            before = (
                ("-inf", f"({cursor.score!r}") if is_upwards else (f"({cursor.score!r}", "+inf")
            )
            pipeline.zcount(key, *before)
            rank, earlier = execute(pipeline)
        start = (earlier or 0) if rank is None else rank + 1
    lowest = now if state in _EXPIRING else "-inf"
    with connection.pipeline(transaction=False) as pipeline:
        pipeline.zcount(key, lowest, "+inf")
        pipeline.zrange(key, start, start + limit - 1, desc=not is_upwards, withscores=True)
        total, entries = execute(pipeline)
    if total is None:
        return 0, [], None
    kept = [
        (member, score)
        for raw, score in entries
        if state not in _EXPIRING or score >= now
        for member in texts(key, [raw])
    ]
    # An execution is called <job>:<execution>.
    ids = [member.partition(":")[0] for member, _ in kept]
    following = Cursor(kept[-1][1], kept[-1][0]) if kept and start + len(entries) < total else None
    return total, ids, following


def _error(identifier: str, results: Sequence[Any] | None) -> str | None:
    packed = results[0][1].get(b"exc_string") if results else None
    if not packed:
        return None
    try:
        traceback, is_cut = inflate(b64decode(packed), LONGEST_ERROR)
    except ValueError as error:  # another release may write it otherwise
        skip(Job.key_for(identifier), error, "exc_string")
        return None
    cut = f"\n[cut after {LONGEST_ERROR} bytes]" if is_cut else ""
    return traceback.decode(errors="replace") + cut


def _string(occurrence: Mapping[str, Any], name: str) -> str | None:
    value = occurrence.get(name)
    return words(value) if isinstance(value, str) else None


def _number(identifier: str, field: str, value: bytes | None) -> int | None:
    try:
        return maybe_whole(value)
    except ValueError as error:
        skip(Job.key_for(identifier), error, field)
        return None


def read_errors(connection: Redis, ids: Sequence[str]) -> list[str | None]:
    """The last error of each of the jobs called ``ids``, a traceback, in one round trip; None where
    none is kept. Raises ServerError.
    """
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        for identifier in ids:
            pipeline.xrevrange(rq_keys.results(identifier), count=1)
        return [
            _error(identifier, results)
            for identifier, results in zip(ids, execute(pipeline), strict=True)
        ]
