"""Jobs with their errors in one line, and which of them a filter means."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

from redis import Redis
from rq.job import Job

from clock.connection import rq_keys
from clock.ledger.unreadable import execute, skip
from clock.observe.error_text import read_error
from clock.observe.rq.jobs import FIELDS, JobSummary, summary_of
from clock.observe.rq.payload import inflate_ends

LONGEST_ERROR = 20_000
"""Bytes read of the traceback of an error that is shown in one line, half of them at its end."""

NO_ERROR = "none"
"""The group of the jobs of which RQ keeps no error."""

_REMEMBERED = 2_000
"""Errors whose line is remembered: of many jobs that failed alike, one is read."""

_LONGEST_REMEMBERED = 4_000

_VARYING = re.compile(r"\b(?:0x)?[0-9a-fA-F]*[0-9][0-9a-fA-F]*\b")


class ErrorLine(NamedTuple):
    """An error: its class, None where the text is not a traceback; the class and the first line of
    its message; and its ``group``, an id that errors share which differ in numbers only.
    """

    kind: str | None
    line: str
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedJob:
    """A job and its last error, None where it has none or RQ does not keep it. ``queue`` is where
    it is listed.
    """

    job: JobSummary
    queue: str
    error: ErrorLine | None

    @property
    def at(self) -> float | None:
        """When the last thing happened to it, in UTC seconds since 1970."""
        job = self.job
        return job.ended or job.started or job.enqueued or job.created


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Jobs of ``queue``, or of all queues; those of an ``event``, of a ``task``, with an ``error``
    of this class, with ``text`` in its line in whatever case, or of a ``group`` of errors. They
    ended, or were last heard of, at or after ``since`` and before ``until``, in UTC seconds since
    1970. None stands for any.
    """

    queue: str | None = None
    event: str | None = None
    task: str | None = None
    error: str | None = None
    text: str | None = None
    group: str | None = None
    since: float | None = None
    until: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether it means every job of its queue."""
        return self == Filter(queue=self.queue)

    def fits(self, listed: ListedJob) -> bool:
        """Whether ``listed`` is one of them."""
        job, error = listed.job, listed.error
        return (
            self.event in {None, job.event}
            and self.task in {None, job.task}
            and self.group in {None, error.group if error else NO_ERROR}
            and self._fits_error(error)
            and self._fits_time(listed.at)
        )

    def _fits_error(self, error: ErrorLine | None) -> bool:
        kind, line = (error.kind or "", error.line) if error else ("", "")
        is_kind = self.error is None or self.error in {kind, kind.rpartition(".")[2]}
        return is_kind and (self.text is None or self.text.lower() in line.lower())

    def _fits_time(self, at: float | None) -> bool:
        if self.since is None and self.until is None:
            return True
        return at is not None and (self.since or 0) <= at < (self.until or float("inf"))


def read_listed(
    connection: Redis, ids: Sequence[tuple[str, str]], *, errors: bool
) -> tuple[list[ListedJob | None], int]:
    """The jobs with these ids, each with the queue that lists it, None for those RQ no longer
    has; and how many bytes that was. ``errors`` says whether their errors are wanted.

    One round trip. Raises what the client raises.
    """
    with connection.pipeline(transaction=False) as pipeline:
        for identifier, _ in ids:
            pipeline.hmget(Job.key_for(identifier), FIELDS)
            if errors:
                pipeline.xrevrange(rq_keys.results(identifier), count=1)
        replies = execute(pipeline)
    hashes, results = (replies[::2], replies[1::2]) if errors else (replies, [None] * len(ids))
    listed: list[ListedJob | None] = []
    size = 0
    for (identifier, queue), fields, stream in zip(ids, hashes, results, strict=True):
        packed = _packed(stream)
        size += len(packed) + sum(len(field or b"") for field in fields or ())
        job = summary_of(identifier, fields)
        error = error_line(identifier, packed) if job else None
        listed.append(None if job is None else ListedJob(job=job, queue=queue, error=error))
    return listed, size


def _packed(results: Sequence[Any] | None) -> bytes:
    return (results[0][1].get(b"exc_string") or b"") if results else b""


def error_line(identifier: str, packed: bytes) -> ErrorLine | None:
    """An error of the job with this id, from the traceback as RQ keeps it; None for nothing, or
    where that cannot be read.
    """
    if not packed:
        return None
    try:
        short = len(packed) <= _LONGEST_REMEMBERED
        return _remembered(packed) if short else _read(packed)
    except ValueError as error:  # another release may write another format
        skip(Job.key_for(identifier), error, "exc_string")
        return None


def _read(packed: bytes) -> ErrorLine:
    begin, end, left_out = inflate_ends(b64decode(packed), LONGEST_ERROR)
    text = begin + (b"\n" + end[end.find(b"\n") + 1 :] if left_out else b"")
    error = read_error(text.decode(errors="replace"))
    alike = f"{error.last.kind}\0{_VARYING.sub('0', error.line)}"
    group = blake2b(alike.encode(errors="replace"), digest_size=6).hexdigest()
    return ErrorLine(error.last.kind, error.line, group)


_remembered = lru_cache(maxsize=_REMEMBERED)(_read)
