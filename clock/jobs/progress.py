"""The progress of a job: its task writes it while it runs, a handle reads it."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections.abc import Generator, Iterable, Sized
from typing import Any, TypeVar

from redis import Redis
from rq import get_current_job
from rq.job import Job

from clock import keys
from clock.connection.client import with_timeout
from clock.connection.errors import server_errors
from clock.errors import ServerError
from clock.ledger.unreadable import execute
from clock.runs.progress import Progress, parse_progress

EVERY = 1.0
"""Seconds between two writes of a job, however often its task reports."""

KEPT = 3600
"""Seconds that progress is kept after the job must have ended; a day longer without a timeout."""

ANSWER = 2.0
"""Seconds a server has to answer. Progress must neither fail a job nor delay it for long."""

LONGEST_MESSAGE = 500
"""Characters of a message; what is longer is cut."""

Item = TypeVar("Item")

__all__ = ["Progress", "flush", "progress", "read_progress", "track"]

log = logging.getLogger("clock.jobs")


def progress(done: float, total: float | None = None, message: str = "") -> None:
    """Report the progress of the running job; does nothing outside of a job.

    It may be called often: one call a second is written, the latest of each second, and the one
    with ``done`` equal to ``total`` at once. An unreachable server is not an error. Raises
    ValueError where ``done`` or ``total`` is negative or not a number.
    """
    values = {
        "done": _plain(done),
        "total": "" if total is None else _plain(total),
        "message": str(message)[:LONGEST_MESSAGE],
    }
    job = get_current_job()
    if job is not None:
        _writer(job).say(values)


def track(
    iterable: Iterable[Item], total: int | None = None, message: str = ""
) -> Generator[Item, None, None]:
    """The items of ``iterable``; each one that the loop is through with is progress.

    ``total`` is the number of them, its length where it has one.
    """
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    done = 0
    progress(done, total, message)
    try:
        for item in iterable:
            yield item
            done += 1
            progress(done, total, message)
    finally:
        flush()


def flush(job: Job | None = None) -> None:
    """Write the last progress of a job, else of the current one, if it is not written yet."""
    job = job or get_current_job()
    writer = None if job is None else vars(job).get(_WRITER)
    if writer is not None:
        writer.flush()


def read_progress(connection: Redis, job_id: str) -> Progress | None:
    """The progress of a job, None where it reported none. Raises what the client raises."""
    with connection.pipeline(transaction=False) as pipeline:
        pipeline.hgetall(keys.progress(job_id))
        (fields,) = execute(pipeline)
    return parse_progress(job_id, fields)


def _plain(value: float) -> float:
    """A number as Redis takes it, be it one of numpy or Decimal."""
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{value!r} must be a finite number and not negative")
    return int(value) if value == int(value) else float(value)


class _Writer:
    """Writes the progress of one job, once in ``EVERY`` seconds at most, and always the last."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._lock = threading.Lock()
        self._waiting: dict[str, Any] | None = None
        self._not_before = 0.0
        self._timer: threading.Timer | None = None
        self._is_complete = False

    def say(self, values: dict[str, Any]) -> None:
        with self._lock:
            self._waiting = {**values, "at": time.time()}
            wait = self._not_before - time.monotonic()
            completes = values["done"] == values["total"] and not self._is_complete
            self._is_complete = values["done"] == values["total"]
            is_due = wait <= 0 or completes
            if is_due and not _is_on_event_loop():
                self._write()
            elif is_due or self._timer is None:
                # A task that reports nothing more for an hour still shows its last progress.
                self._write_later(0 if is_due else wait)

    def _write_later(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(seconds, self.flush)
        self._timer.daemon = True
        self._timer.start()

    def flush(self) -> None:
        with self._lock:
            self._write()

    def _write(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting is None:
            return
        fields: Any = self._waiting
        self._waiting = None
        connection = with_timeout(self._job.connection, ANSWER)
        try:
            with server_errors(connection), connection.pipeline() as pipeline:
                pipeline.hset(keys.progress(self._job.id), mapping=fields)
                pipeline.expire(keys.progress(self._job.id), _ttl(self._job))
                pipeline.execute()
        except ServerError as error:
            log.debug("progress of %s is not written: %s", self._job.id, error)
            self._not_before = time.monotonic() + 10 * EVERY
        else:
            self._not_before = time.monotonic() + EVERY


def _is_on_event_loop() -> bool:
    """Whether other tasks would have to wait for the server here."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


_WRITER = "clock_progress"
"""Attribute of a job, for as long as it runs."""


def _writer(job: Job) -> _Writer:
    writer: _Writer = vars(job).get(_WRITER) or _Writer(job)
    vars(job)[_WRITER] = writer
    return writer


def _ttl(job: Job) -> int:
    timeout = job.timeout or 0
    return KEPT + int(timeout) if timeout > 0 else KEPT + 86_400
