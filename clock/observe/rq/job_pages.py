"""Pages of the jobs of a queue, by state."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from redis import Redis
from rq.utils import as_text

from clock.connection import rq_keys
from clock.connection.errors import server_errors
from clock.ledger.unreadable import execute, texts
from clock.observe.rq.cursor import Cursor, read_cursor
from clock.observe.rq.jobs import JobSummary, read_summaries
from clock.observe.rq.rate_limits import read_limited

PAGE = 50
"""Jobs on a page."""

LARGEST_PAGE = 200
"""Jobs on a page at most: they are read with their arguments."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """Some jobs in a state, the number of all, and the cursor of the next page or None."""

    jobs: tuple[JobSummary, ...]
    total: int
    next: str | None


def read_jobs(
    connection: Redis,
    queue: str,
    state: Stage,
    *,
    now: float,
    cursor: str | None = None,
    limit: int = PAGE,
) -> JobPage:
    """The jobs of ``queue`` in ``state``, from ``cursor`` on: queued jobs in their order, started
    and scheduled ones by time, the others with those that RQ keeps longest first.

    Four round trips at most. Jobs come and go between two pages: one that stays is on at least one
    page, and may be on two. Expired ones are skipped, so a page may have fewer jobs than ``limit``.
    Raises CursorError, and ServerError.
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


_FURTHEST = 2**40

_Page = tuple[int, list[str], Cursor | None]


def _waiting(connection: Redis, key: str, cursor: Cursor | None, limit: int) -> _Page:
    start = 0
    if as_text(connection.type(key)) not in {"list"}:
        return 0, [], None
    if cursor is not None:
        # Queued jobs only move towards the head. Where the last job of the page before is gone, so
        # are those before it, apart from jobs that were put at the front or removed.
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
            # Where the last job of the page before is gone: after all with an earlier score.
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
    # The id of an execution is <job>:<execution>.
    ids = [member.partition(":")[0] for member, _ in kept]
    following = Cursor(kept[-1][1], kept[-1][0]) if kept and start + len(entries) < total else None
    return total, ids, following
