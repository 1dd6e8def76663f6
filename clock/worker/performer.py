"""Calls the task of a job, with all that goes around it."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache, partial
from typing import Any, NamedTuple, NoReturn

from rq.job import Job

from clock.jobs.progress import flush
from clock.jobs.rq_versions import current_job
from clock.worker.ending import Ending, ending_of, meant, result_for_rq
from clock.worker.interruption import Interruption
from clock.worker.middleware import Middleware, chain
from clock.worker.result import check_generator, check_result
from clock.worker.surroundings import open_standard_streams

_TASKS: dict[str, Callable[..., Any]] = {}
"""The functions that were called in this process, by their dotted names: RQ looks for them anew for
each job."""


class Performed(NamedTuple):
    """What a task returned, or what came out of it, in RQ's terms; ``ending`` is what that means
    where it is known already.
    """

    value: Any = None
    error: BaseException | None = None
    ending: Ending | None = None

    def result(self) -> Any:
        """What was returned; raises what came out."""
        if self.error is not None:
            raise self.error
        return self.value


class Performer:
    """Calls the tasks of jobs in this process. ``outcomes`` says what exceptions mean, by task."""

    def __init__(
        self,
        middleware: Sequence[Middleware],
        outcomes: Mapping[str, Mapping[Any, Any]],
        interruption: Interruption,
    ) -> None:
        self.middleware = middleware
        self._outcomes = outcomes
        self._interruption = interruption

    def perform(
        self, job: Job, call: Callable[[], Any], seconds: float = math.inf, limit: object = None
    ) -> Performed:
        """The end of ``call``, which is the task of ``job``, with the middleware around it. It may
        take that many ``seconds``, and is told the ``limit`` after them.
        """
        inner = partial(self._call, job, call)
        if self.middleware:
            inner = chain(self.middleware, job, inner)  # type: ignore[assignment]
        process = os.getpid()
        performed = self.judge(job, partial(self._interruption.call, inner, seconds, limit))
        if os.getpid() != process:
            # A process that the task forked has come out of the task: the job is not its.
            leave_fork(performed.error)
        open_standard_streams()
        return performed

    def judge(self, job: Job, call: Callable[[], Any]) -> Performed:
        """What the end of ``call``, which has the middleware in it, means for ``job``."""
        try:
            value = call()
            check_result(value, job)
        except Exception as error:
            outcome = meant(error, job, self._outcomes)
            ending = ending_of(outcome, job)
            try:
                return Performed(result_for_rq(outcome, job), None, ending)
            except Exception as raised:  # what RQ is to take for the error
                return Performed(None, raised, ending)
        except BaseException as error:  # also of a task that wants to end the process
            return Performed(None, error)
        return Performed(value)

    def _call(self, job: Job, call: Callable[[], Any]) -> Any:
        with self.meaning(job):
            return call()

    @contextmanager
    def meaning(self, job: Job) -> Iterator[None]:
        """Around a task: what its table makes of an error, the middleware sees too."""
        process = os.getpid()
        try:
            yield
        except Exception as error:
            check_generator(error, job)
            outcome = meant(error, job, self._outcomes)
            if outcome is error:
                raise
            raise outcome from error
        finally:
            flush(job)
            if os.getpid() != process:
                leave_fork(sys.exc_info()[1])


def call_task(job: Job) -> Any:
    """Call the task as RQ's own ``Job.perform`` does, without looking for it each time."""
    kind = type(job)
    if "perform" in vars(job) or not (is_of_rq(kind.perform) and is_of_rq(kind._execute)):
        return job.perform()
    name = job.func_name
    if name is None or job.instance is not None:
        return job.perform()
    task = _TASKS.get(name)
    if task is None:
        task = _TASKS[name] = job.func
    with current_job(job):
        result = task(*job.args, **job.kwargs)
        return asyncio.run(result) if asyncio.iscoroutine(result) else result


@cache
def is_of_rq(function: Any) -> bool:
    """Whether RQ wrote ``function``, and nobody has put something around it: what watches all jobs
    of an application does that.
    """
    return function.__module__.startswith("rq.") and not hasattr(function, "__wrapped__")


def leave_fork(error: BaseException | None) -> NoReturn:
    """End a process that a task forked, as it would have ended elsewhere."""
    code = 0
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    elif error is not None:
        logging.getLogger("rq.worker").error("a process that a job forked failed", exc_info=error)
        code = 1
    end_process(code)


def end_process(code: int) -> NoReturn:
    """End this process at once, with what it has printed."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # a task may have closed it
            stream.flush()
    os._exit(code)
