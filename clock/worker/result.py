"""What a task returns, which must be something that can be stored."""

from __future__ import annotations

import inspect
from types import AsyncGeneratorType, GeneratorType
from typing import Any

from rq.job import Job

from clock.jobs.rq_versions import is_rate_limited


def is_plain(job: Job) -> bool:
    """Whether the success of ``job`` is only written. Where it is more, for a callback, a webhook,
    a group, a repeat or a rate limit, RQ must end it.
    """
    return not (
        job._success_callback_name
        or job.group_id
        or job.repeats_left
        or getattr(job, "webhooks", None)
        or is_rate_limited(job)
    )


def serialized(result: Any, job: Job) -> bytes:
    """The result as it is stored. Raises TypeError: RQ would store a text in its place."""
    try:
        return bytes(job.serializer.dumps(result))
    except Exception as error:  # whatever a serializer raises
        reason = f"the result cannot be stored: {type(error).__name__}: {error}"
        raise TypeError(reason) from error


def check_result(result: Any, job: Job) -> None:
    """Refuse a generator, of which nothing has run, and what RQ, which ends ``job``, could not
    store. Raises TypeError.
    """
    if isinstance(result, GeneratorType | AsyncGeneratorType):
        raise _generator_error(job)
    if result is not None and job.result_ttl != 0 and not is_plain(job):
        serialized(result, job)


def check_generator(error: Exception, job: Job) -> None:
    """Refuse a generator that RQ ran as a coroutine, as it does before Python 3.12; ``error`` came
    of it. Raises TypeError.
    """
    if isinstance(error, RuntimeError) and inspect.isgeneratorfunction(job.func):
        raise _generator_error(job) from error


def _generator_error(job: Job) -> TypeError:
    return TypeError(f"{job.func_name} is a generator, which a worker does not run")
