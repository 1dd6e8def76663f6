"""Differences between the supported releases of RQ, from 2.9 on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from inspect import signature
from threading import get_ident
from typing import Any

import rq.job
from redis import Redis
from redis.client import Pipeline
from rq import Queue
from rq.executions import Execution
from rq.job import Job

try:
    from rq.callbacks import execute_failure_callback, execute_stopped_callback
    from rq.rate_limit import RateLimit, RateLimitRegistry

    IS_RQ_2 = False
except ImportError:
    IS_RQ_2 = True


_NAMES_WORKER = "worker_name" in signature(Execution.create).parameters

KEEPS = "jwx" if not IS_RQ_2 else "wc" if _NAMES_WORKER else "c"
"""What this RQ stores of executions: ``j`` the job, ``w`` the worker, ``x`` a worker's executions,
``c`` a worker's current job."""


CRON_IS_LOCAL = not IS_RQ_2
"""Whether the times of ``rq cron`` are those of the process's zone; UTC before RQ 3."""


def is_rate_limit(value: object) -> bool:
    """Whether ``value`` is a rate limit of RQ's; from RQ 3 on."""
    return not IS_RQ_2 and isinstance(value, RateLimit)


def new_rate_limit(key: str, concurrency: int) -> Any:
    """A rate limit of RQ's; None before RQ 3, which has none."""
    return None if IS_RQ_2 else RateLimit(key, concurrency)


def is_rate_limited(job: Job) -> bool:
    """Whether ``job`` has a rate limit of RQ's; from RQ 3 on."""
    return not IS_RQ_2 and bool(job.has_rate_limit)


_IDENTITY: ContextVar[object] = ContextVar("clock_identity", default=None)

if IS_RQ_2:
    # RQ 2 knows the current job of a thread; of several on one event loop, each has its context.
    _job_stack: Any = rq.job._job_stack  # type: ignore[attr-defined]
    _job_stack.__ident_func__ = lambda: _IDENTITY.get() or get_ident()


@contextmanager
def current_job(job: Job) -> Iterator[None]:
    """Let ``get_current_job()`` be ``job`` within the block, and in tasks and threads that are
    started in its context.
    """
    if IS_RQ_2:
        _IDENTITY.set(object())
        _job_stack.push(job)
        try:
            yield
        finally:
            _job_stack.pop()
    else:
        token = rq.job._current_job.set(job)
        try:
            yield
        finally:
            rq.job._current_job.reset(token)


def call_on_stopped(job: Job, death_penalty: Any) -> None:
    """Run the ``on_stopped`` of ``job`` under its timeout. Raises what it raises."""
    if IS_RQ_2:
        job.execute_stopped_callback(death_penalty)  # type: ignore[attr-defined]
    else:
        execute_stopped_callback(job, death_penalty)


def with_execution(method: Callable[..., Any], execution: Execution | None) -> dict[str, Any]:
    """``execution`` as an argument of a ``method`` of RQ's worker, if the method takes it: from RQ
    3 on all do, before they found it in the worker.
    """
    return {"execution": execution} if _takes_execution(getattr(method, "__func__", method)) else {}


@cache
def _takes_execution(function: Callable[..., Any]) -> bool:
    return "execution" in signature(function).parameters


def call_on_failure(job: Job, death_penalty: Any, error: BaseException) -> None:
    """Run the ``on_failure`` of ``job`` under its timeout, with ``error`` and no traceback. Raises
    what it raises.
    """
    if IS_RQ_2:
        job.execute_failure_callback(death_penalty, type(error), error, None)  # type: ignore[attr-defined]
    else:
        execute_failure_callback(job, death_penalty, type(error), error, None)


def clean_waiting(queue: Queue) -> None:
    """Let jobs go that RQ 3 did not come to: those of ``queue`` that are ready to be put on it, and
    those that wait under a rate limit that no job holds any more.
    """
    if not IS_RQ_2:
        queue.ready_job_registry.cleanup()
        for registry in RateLimitRegistry.all(queue.connection):
            registry.cleanup()


def fill_rate_limit(connection: Redis, limit: str) -> None:
    """Put the jobs that wait for a place under the rate ``limit`` on their queues, as many as there
    are places. Raises what the client raises.
    """
    if not IS_RQ_2:
        registry = RateLimitRegistry(limit, connection)
        registry.acquire_and_enqueue(registry.concurrency)


def fill_rate_limit_after(pipeline: Pipeline, limit: str, concurrency: int) -> None:
    """As ``fill_rate_limit``, of a limit with this ``concurrency``, in the transaction of
    ``pipeline``.
    """
    RateLimitRegistry(limit, pipeline).acquire_and_enqueue(concurrency, pipeline=pipeline)


def leave_rate_limit(connection: Redis, limit: str, job: str) -> None:
    """Give the place that the deleted ``job`` had under the rate ``limit``, if any, to the next.
    Raises what the client raises.
    """
    if not IS_RQ_2:
        RateLimitRegistry(limit, connection).cancel(job)


def free_rate_limit(job: Job) -> None:
    """Give the place of a ``job`` that has ended, or was put off, under its rate limit to the next.
    Raises what the client raises.
    """
    if not IS_RQ_2 and job.has_rate_limit:
        RateLimitRegistry.from_job(job).release_and_enqueue(job.id)
