"""One run of an ``async def`` task, beside others on the event loop of a child."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Any
from weakref import WeakSet

from rq.job import Job
from rq.timeouts import JobTimeoutException
from rq.utils import now

from clock.jobs.rq_versions import current_job
from clock.worker.interruption import Stopping
from clock.worker.middleware import Middleware, chain
from clock.worker.slot import Request
from clock.worker.taken import TakenJob

Outcome = tuple[Any, BaseException | None]
"""What a task returned, and what came out of it."""

RUN: ContextVar[AsyncRun | None] = ContextVar("clock_run", default=None)
"""The run that the current code belongs to, in tasks that it starts too."""


class StopJobError(Exception):
    """Somebody stopped the job."""


class AsyncRun:
    """Runs the task of a job that was taken, and can be interrupted: the task is cancelled, and
    where it lets itself be, the reason is what came out of it.
    """

    def __init__(
        self,
        taken: TakenJob,
        *,
        middleware: Sequence[Middleware],
        meaning: Callable[[Job], AbstractContextManager[None]],
        threads: Executor,
    ) -> None:
        """``meaning`` goes around the task, the ``middleware`` around both, in one of the
        ``threads``: it waits for the task.
        """
        self.taken = taken
        self.request: Request | None = None
        """What the worker has asked of it."""
        self.others: WeakSet[asyncio.Task[Any]] = WeakSet()
        """The tasks that the task has started, and those that they have."""
        self.watched: Any = None
        """Who is notified of its end."""
        self.is_named = False
        """Whether it was logged that it blocks the loop."""
        self.is_over = False
        self.is_checked = False
        """Whether it is known that its job is still this child's."""
        self.value: Any = None
        self.error: BaseException | None = None
        self._middleware = middleware
        self._meaning = meaning
        self._threads = threads
        self.began = now()
        self._interruption: Exception | None = None
        self._task: asyncio.Task[Any] | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> asyncio.Task[None]:
        """Begin; the task that is done when it is over."""
        context = copy_context()
        context.run(RUN.set, self)
        self._task = asyncio.Task(self._drive(), loop=loop, context=context)
        return self._task

    def result(self) -> Any:
        """What the task returned; raises what came out of it. RQ takes it for the task itself."""
        self.taken.job.started_at = self.began
        if self.error is not None:
            raise self.error
        return self.value

    def ask(self, request: Request) -> None:
        """Note what the worker asks; safe in a signal handler. ``cancel`` is to follow."""
        if request is not self.request:
            self.request = request
            self._interruption = self._interruption or (
                Stopping("the worker was asked to stop, and the job's grace is over")
                if request is Request.STOP
                else StopJobError()
            )

    def interruption(self) -> Exception | None:
        """What is to be raised in the task, if anything."""
        if self._interruption is None and time.monotonic() >= self.taken.deadline:
            limit = self.taken.job.timeout or self.taken.queue.DEFAULT_TIMEOUT
            self._interruption = JobTimeoutException(
                f"Task exceeded maximum timeout value ({limit} seconds)"
            )
        return self._interruption

    def cancel(self) -> None:
        """Cancel the task, if there is a reason to."""
        reason = self.interruption()
        if reason is not None and self._task is not None:
            self._task.cancel(str(reason))

    def cancelled(self) -> None:
        """Its task was cancelled, perhaps before it began."""
        if not self.is_over:
            self.is_over = True
            self.error = self.interruption() or asyncio.CancelledError()

    async def _drive(self) -> None:
        if not self._middleware:
            self.value, self.error = await self._outcome()
            self.is_over = True
            return
        call = partial(self._call_from_thread, asyncio.get_running_loop())
        around = chain(self._middleware, self.taken.job, call)
        self._task = None
        self.value, self.error = await asyncio.get_running_loop().run_in_executor(
            self._threads, copy_context().run, _outcome_of, around
        )
        self.is_over = True

    def _call_from_thread(self, loop: asyncio.AbstractEventLoop) -> Any:
        outcome: Coroutine[Any, Any, Outcome] = self._outcome()
        value, error = asyncio.run_coroutine_threadsafe(outcome, loop).result()
        if error is not None:
            raise error
        return value

    async def _outcome(self) -> Outcome:
        self._task = asyncio.current_task()
        try:
            return await self._call(), None
        except BaseException as error:  # also of a task that wants to end the process
            return None, error
        finally:
            self._task = None

    async def _call(self) -> Any:
        job = self.taken.job
        with self._meaning(job):
            if self._interruption is not None:
                raise self._interruption
            try:
                with current_job(job):
                    return await job.func(*job.args, **job.kwargs)
            except asyncio.CancelledError as error:
                reason = self._interruption
                if reason is None:
                    raise
                raise reason.with_traceback(error.__traceback__) from None


def _outcome_of(call: Callable[[], Any]) -> Outcome:
    try:
        return call(), None
    except BaseException as error:
        return None, error
