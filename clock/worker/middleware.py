"""Functions around a job, and two that many want.

A middleware is ``def mine(job, call_next)``: it calls ``call_next()`` once, which runs the job, and
returns what that returned. It runs in the process of the job. What it raises is as if the job had
raised it. ``MIDDLEWARE`` in the settings module lists dotted names, the outermost first.
"""

from __future__ import annotations

import importlib
import logging
import resource
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from rq import Retry as RQRetry
from rq.job import Job

from clock import log
from clock.errors import SettingsError
from clock.jobs.occurrence import attempt_of, occurrence_of
from clock.runs.run import RunOutcome
from clock.worker.ending import Ending, ending_of

CallNext = Callable[[], Any]
Middleware = Callable[[Job, CallNext], Any]

_MEGABYTE = 2**20 if sys.platform == "darwin" else 2**10
"""In the unit of ``ru_maxrss``: bytes on macOS, kilobytes elsewhere."""


def load_middleware(names: Sequence[str]) -> tuple[Middleware, ...]:
    """Import what the settings name. Raises SettingsError for what cannot be had."""
    return tuple(_load(name) for name in names)


def chain(middleware: Sequence[Middleware], job: Job, inner: CallNext) -> CallNext:
    """``inner`` with the ``middleware`` around it, the first one outermost."""
    for function in reversed(middleware):
        inner = partial(function, job, inner)
    return inner


def log_lines(job: Job, call_next: CallNext) -> Any:
    """A log line when the job starts, and one when it ends that has its outcome and duration."""
    occurrence = occurrence_of(job)
    fields: dict[str, Any] = {
        "event": occurrence.event if occurrence else None,
        "scheduled_at": occurrence.scheduled_at if occurrence else None,
        "task": job.func_name,
        "queue": job.origin,
        "job": job.id,
        "attempt": attempt_of(job),
    }
    log.info("job starts", **fields)
    begin = time.monotonic()
    ending = Ending(RunOutcome.SUCCEEDED)
    try:
        result = call_next()
        if isinstance(result, RQRetry):
            ending = Ending(RunOutcome.RETRIED)
        return result
    except BaseException as error:
        ending = ending_of(error, job)
        raise
    finally:
        fields |= {
            "outcome": ending.outcome.value,
            "error": ending.error,
            "took": round(time.monotonic() - begin, 3),
        }
        level = logging.WARNING if ending.outcome is RunOutcome.FAILED else logging.INFO
        log.log(level, "job ended", **fields)


def timing(job: Job, call_next: CallNext) -> Any:
    """A log line at the end that says how long the job waited on its queue, how long it took, how
    much of that was work of the processor (seconds), and the most memory it held (megabytes).
    """
    waited = None
    if job.enqueued_at is not None and job.started_at is not None:
        waited = round((job.started_at - job.enqueued_at).total_seconds(), 3)
    begin, worked = time.monotonic(), time.process_time()
    try:
        return call_next()
    finally:
        occurrence = occurrence_of(job)
        fields = {
            "event": occurrence.event if occurrence else None,
            "job": job.id,
            "waited": waited,
            "took": round(time.monotonic() - begin, 3),
            "cpu": round(time.process_time() - worked, 3),
            "memory": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MEGABYTE),
        }
        log.info("job timing", **fields)


def _load(name: str) -> Middleware:
    module, _, attribute = name.rpartition(".")
    try:
        function = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # a module of middleware is anybody's code
        raise SettingsError(f"MIDDLEWARE names {name!r}: {type(error).__name__}: {error}") from None
    if not callable(function):
        raise SettingsError(f"MIDDLEWARE names {name!r}, which is not callable")
    loaded: Middleware = function
    return loaded
