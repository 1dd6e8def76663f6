"""Requeueing failed jobs and deleting jobs, on behalf of a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import TypeVar

from redis import Redis
from rq.job import Job
from rq.utils import as_text, utcformat

from clock.connection import rq_keys
from clock.connection.errors import server_errors
from clock.connection.scripts import script
from clock.errors import HOLDS_NO_QUEUE, NotAQueueError
from clock.jobs.rq_versions import fill_rate_limit, leave_rate_limit
from clock.observe.rq.entries import Stage, job_of, read_entries
from clock.observe.rq.jobs import read_summaries
from clock.observe.rq.listed_job import Filter, read_listed
from clock.observe.rq.queues import queue_names

AT_ONCE = 200
"""Jobs in one call of a script; it holds the server for a few milliseconds."""

MOST = 10_000
"""Jobs of a filter that one call changes; it says whether there are more."""


Item = TypeVar("Item")


class Deleted(StrEnum):
    """The outcome of deleting a job."""

    GONE = "gone"
    UNKNOWN = "unknown"
    STARTED = "started"
    """It runs, and is left alone."""
    NEEDED = "needed"
    """Another job waits for its end, so it is left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """How many jobs were changed, and whether others may be left: there were more than one call
    changes, or they may not be deleted.
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
    for by_queue, more in _failed(connection, which, now, most):
        is_more = more
        count += _requeue(connection, by_queue, now)
    return Changed(count=count, is_more=is_more)


def delete_all(connection: Redis, which: Filter, now: float, most: int = MOST) -> Changed:
    """Delete the failed jobs that fit ``which``. Raises ServerError."""
    count, asked, is_more = 0, 0, False
    for by_queue, more in _failed(connection, which, now, most):
        is_more = more
        some = [identifier for ids in by_queue.values() for identifier in ids]
        count += _delete(connection, some).count(Deleted.GONE)
        asked += len(some)
    return Changed(count=count, is_more=is_more or count < asked)


def requeue_chosen(connection: Redis, identifiers: Sequence[str], now: float) -> Changed:
    """Put back those of these jobs that have failed, whatever their queues.

    Raises as ``requeue``.
    """
    by_queue: dict[str, list[str]] = {}
    with server_errors():
        for job in read_summaries(connection, identifiers):
            if job is not None:
                by_queue.setdefault(job.queue, []).append(job.id)
    return Changed(count=_requeue(connection, by_queue, now), is_more=False)


def delete_chosen(connection: Redis, identifiers: Sequence[str]) -> Changed:
    """Delete those of these jobs that may be deleted. Raises ServerError."""
    outcomes = _delete(connection, list(dict.fromkeys(identifiers)))
    left = {Deleted.STARTED, Deleted.NEEDED}
    return Changed(count=outcomes.count(Deleted.GONE), is_more=not left.isdisjoint(outcomes))


def _requeue(connection: Redis, by_queue: Mapping[str, Sequence[str]], now: float) -> int:
    return sum(len(requeue(connection, ids, queue, now)) for queue, ids in by_queue.items())


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
) -> Iterator[tuple[Mapping[str, list[str]], bool]]:
    """The jobs that fit, by queue, in slices, each with whether there were more than ``most`` to
    look at.
    """
    with server_errors():
        queues = sorted(queue_names(connection)) if which.queue is None else [which.queue]
        _, following = read_entries(connection, queues, Stage.FAILED, now=now)
        # Named at once, so that a job that fails again meanwhile is not met a second time.
        entries = list(islice(following, most + 1))
    for some in _slices(entries[:most]):
        with server_errors():
            jobs, _ = read_listed(connection, [(job_of(at), at.queue) for at in some], errors=True)
        fitting: dict[str, list[str]] = {}
        for job in jobs:
            if job is not None and which.fits(job):
                fitting.setdefault(job.queue, []).append(job.job.id)
        yield fitting, len(entries) > most


def _slices(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]
