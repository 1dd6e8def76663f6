"""Requeueing failed jobs and deleting jobs, on behalf of a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from redis import Redis
from rq.job import Job
from rq.utils import as_text, utcformat

from clock.connection import rq_keys
from clock.connection.errors import server_errors
from clock.connection.scripts import script
from clock.errors import HOLDS_NO_QUEUE, NotAQueueError
from clock.jobs.rq_versions import fill_rate_limit, leave_rate_limit
from clock.ledger.unreadable import texts
from clock.observe.rq.jobs import JobSummary, read_summaries

AT_ONCE = 200
"""Jobs in one call of a script; it holds the server for a few milliseconds."""

MOST = 10_000
"""Jobs of a filter that one call changes; it says whether there are more."""


class Deleted(StrEnum):
    """The outcome of deleting a job."""

    GONE = "gone"
    UNKNOWN = "unknown"
    STARTED = "started"
    """It runs, and is left alone."""
    NEEDED = "needed"
    """Another job waits for its end, so it is left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Failed jobs of ``queue``: all of them, or those of an ``event``, or of a ``task``."""

    queue: str
    event: str | None = None
    task: str | None = None

    def fits(self, job: JobSummary) -> bool:
        """Whether ``job`` is one of them."""
        return self.event in {None, job.event} and self.task in {None, job.task}


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """How many jobs of a filter were changed, and whether others may be left: there were more than
    one call changes, or they may not be deleted.
    """

    count: int
    is_more: bool


def requeue(connection: Redis, identifiers: Sequence[str], queue: str, now: float) -> list[str]:
    """Put failed jobs of ``queue`` back on it, behind what waits there; returns those that were.
    One with a rate limit of RQ 3 waits for its place under it.

    ``now`` is UTC seconds since 1970. Each goes back once, even if requeued twice. Raises
    ServerError where the server is away or refuses, and where the queue's key holds no queue.
    """
    names = [rq_keys.registry("failed", queue), rq_keys.QUEUE + queue, rq_keys.QUEUES]
    back: list[str] = []
    call = connection.register_script(script("clock.jobs", "requeue.lua"))
    stamp = utcformat(datetime.fromtimestamp(now, UTC))
    for some in _slices(identifiers):
        with server_errors():
            reply = call(keys=names, args=[stamp, int(now), *some])
            if reply is None:
                raise NotAQueueError(f"the key {names[1]} {HOLDS_NO_QUEUE}")
            ids, limits = reply
            for limit in {as_text(name) for name in limits}:
                fill_rate_limit(connection, limit)
        back += map(as_text, ids)
    return back


def delete(connection: Redis, identifier: str) -> Deleted:
    """Delete a job that does not run, and that no other waits for. Raises ServerError."""
    (result,) = _delete(connection, [identifier])
    return result


def requeue_all(connection: Redis, which: Filter, now: float, most: int = MOST) -> Changed:
    """Put the failed jobs that fit ``which`` back, those RQ keeps longest first. Raises as
    ``requeue``.
    """
    count, is_more = 0, False
    for some, more in _failed(connection, which, now, most):
        is_more = more
        count += len(requeue(connection, some, which.queue, now))
    return Changed(count=count, is_more=is_more)


def delete_all(connection: Redis, which: Filter, now: float, most: int = MOST) -> Changed:
    """Delete the failed jobs that fit ``which``. Raises ServerError."""
    count, asked, is_more = 0, 0, False
    for some, more in _failed(connection, which, now, most):
        is_more = more
        count += _delete(connection, some).count(Deleted.GONE)
        asked += len(some)
    return Changed(count=count, is_more=is_more or count < asked)


def _delete(connection: Redis, identifiers: Sequence[str]) -> list[Deleted]:
    call = connection.register_script(script("clock.jobs", "delete.lua"))
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        for identifier in identifiers:
            call(keys=[Job.key_for(identifier)], args=[identifier], client=pipeline)
        replies = [list(map(as_text, reply)) for reply in pipeline.execute()]
        for identifier, (_, limit) in zip(identifiers, replies, strict=True):
            if limit:
                leave_rate_limit(connection, limit, identifier)
    return [Deleted(word) for word, _ in replies]


def _failed(
    connection: Redis, which: Filter, now: float, most: int
) -> Iterator[tuple[list[str], bool]]:
    """The jobs that fit, in slices, each with whether there were more than ``most`` to look at."""
    with server_errors():
        # Named at once, so that a job that fails again meanwhile is not met a second time.
        entries: Any = connection.zrange(
            rq_keys.registry("failed", which.queue),
            "+inf",
            now,
            desc=True,
            byscore=True,
            offset=0,
            num=most + 1,
        )
    for some in _slices(texts(f"the failed jobs of {which.queue}", entries[:most])):
        with server_errors():
            jobs = read_summaries(connection, some)
        fitting = [job.id for job in jobs if job is not None and which.fits(job)]
        yield fitting, len(entries) > most


def _slices(identifiers: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(identifiers), AT_ONCE):
        yield identifiers[start : start + AT_ONCE]
