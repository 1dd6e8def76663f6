"""Jobs of RQ: summaries of several, the details of one. Reading cleans nothing up."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis
from rq.job import Job

from clock import keys
from clock.connection import rq_keys
from clock.connection.errors import server_errors
from clock.ledger.unreadable import execute, skip
from clock.ledger.values import maybe_whole
from clock.observe.rq.fields import display_text, read_timestamp
from clock.observe.rq.payload import inflate_ends, read_arguments, read_meta, read_task

LONGEST_ERROR = 100_000
"""Bytes of an error that are shown, its beginning and its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSummary:
    """A job without its arguments. Instants are UTC seconds since 1970, None for those not reached.

    ``status`` is RQ's. ``task`` is None where it cannot be read, ``event`` and ``scheduled`` (ISO
    8601) where no clock enqueued the job.
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
    """One job. ``error`` is the traceback of its last error. ``arguments`` are the positional and
    the keyword ones, None where they are not plain values.
    """

    summary: JobSummary
    description: str | None
    error: str | None
    arguments: tuple[Any, Any] | None


FIELDS = (
    "status", "data", "meta", "origin", "created_at", "enqueued_at", "started_at", "ended_at",
    "worker_name", "timeout", "retries_left",
)  # fmt: skip


def read_summaries(connection: Redis, ids: Sequence[str]) -> list[JobSummary | None]:
    """The jobs with these ``ids`` in one round trip; None for those RQ no longer has.

    Raises what the client raises.
    """
    with connection.pipeline(transaction=False) as pipeline:
        for identifier in ids:
            pipeline.hmget(Job.key_for(identifier), FIELDS)
        replies = execute(pipeline)
    return [summary_of(identifier, reply) for identifier, reply in zip(ids, replies, strict=True)]


def read_details(connection: Redis, identifier: str) -> JobDetails | None:
    """The job with the id ``identifier`` in one round trip; None if RQ no longer has it.

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
        description=display_text(fields[len(FIELDS)]),
        error=_error(identifier, results),
        arguments=read_arguments(fields[1]),
    )


def summary_of(identifier: str, fields: Sequence[bytes | None] | None) -> JobSummary | None:
    """A job from its ``FIELDS``; None where it does not exist."""
    if fields is None:
        return None
    status, data, meta, queue, created, enqueued, started, ended, worker, timeout, left, *_ = fields
    if status is None and data is None:
        return None
    mark = read_meta(meta).get(keys.OCCURRENCE_META)
    occurrence: Mapping[str, Any] = mark if isinstance(mark, Mapping) else {}
    return JobSummary(
        id=identifier,
        status=display_text(status) or "created",
        task=read_task(data),
        queue=display_text(queue) or "",
        created=read_timestamp(created),
        enqueued=read_timestamp(enqueued),
        started=read_timestamp(started),
        ended=read_timestamp(ended),
        worker=display_text(worker),
        timeout=_number(identifier, "timeout", timeout),
        retries_left=_number(identifier, "retries_left", left),
        event=_string(occurrence, "event"),
        scheduled=_string(occurrence, "scheduled_at"),
        is_manual=occurrence.get("manual") is True,
    )


def _error(identifier: str, results: Sequence[Any] | None) -> str | None:
    packed = results[0][1].get(b"exc_string") if results else None
    if not packed:
        return None
    try:
        begin, end, left_out = inflate_ends(b64decode(packed), LONGEST_ERROR)
    except ValueError as error:  # another release may write another format
        skip(Job.key_for(identifier), error, "exc_string")
        return None
    if not left_out:
        return begin.decode(errors="replace")
    # Between two lines, where there are any: a part of a line would be taken for another one.
    begin = begin[: begin.rfind(b"\n") + 1] or begin
    end = end[end.find(b"\n") + 1 :] or end
    parts = (begin.removesuffix(b"\n"), f"  [{left_out} bytes left out]".encode(), end)
    return b"\n".join(parts).decode(errors="replace")


def _string(occurrence: Mapping[str, Any], name: str) -> str | None:
    value = occurrence.get(name)
    return display_text(value) if isinstance(value, str) else None


def _number(identifier: str, field: str, value: bytes | None) -> int | None:
    try:
        return maybe_whole(value)
    except ValueError as error:
        skip(Job.key_for(identifier), error, field)
        return None


def read_errors(connection: Redis, ids: Sequence[str]) -> list[str | None]:
    """The tracebacks of the last errors of the jobs with these ``ids``, None where RQ has none.

    One round trip. Raises ServerError.
    """
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        for identifier in ids:
            pipeline.xrevrange(rq_keys.results(identifier), count=1)
        return [
            _error(identifier, results)
            for identifier, results in zip(ids, execute(pipeline), strict=True)
        ]
