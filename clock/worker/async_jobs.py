"""The ``async def`` jobs of a child, side by side on one event loop.

A child comes here with the first such job, and leaves when none runs. A job that has to run alone,
because its task is not an ``async def``, must not hold up those that run: it goes back to the front
of its queue, and the child takes no more until another has taken it, or all of its own have ended.
Another is there within about a second: the worker starts a child that stands in for one that holds
back, and that leaves when the queues are empty.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import Any

from clock import log
from clock.connection.errors import CLIENT_ERRORS
from clock.worker.async_run import RUN, AsyncRun
from clock.worker.blocked_loop import LoopWatch
from clock.worker.execution_owner import OvertakenError
from clock.worker.interruption import STOP
from clock.worker.slot import Slot
from clock.worker.step import PATIENCE, POLL, SAFETY, SUSPENDED, Reply, TakeResult, new_identifier
from clock.worker.taken import TakenJob

AGAIN = 10.0
"""Seconds until a task that went on after it was cancelled is cancelled again."""

LOOK = 0.05
"""Seconds between two looks whether another child has taken a job that this one gave back."""

CLEAN_UP = 1.0
"""Seconds that tasks have to end which a job has left behind."""


class AsyncJobs:
    """Runs jobs until none of them runs, as many at once as there are ``slots``."""

    def __init__(
        self, child: Any, jobs: Any, slots: Sequence[Slot], loop: asyncio.AbstractEventLoop
    ) -> None:
        """``child`` is the Child whose jobs these are, and ``jobs`` its ChildJobs."""
        self._child = child
        self._jobs = jobs
        self._free = list(slots)
        self._loop = loop
        self._watch = LoopWatch(loop)
        self._context = copy_context()
        # Threads are started as they are needed: by jobs that have middleware.
        self._threads = ThreadPoolExecutor(len(slots), "asyncio_middleware")
        self._over: asyncio.Future[None] = loop.create_future()
        self._running: dict[AsyncRun, asyncio.TimerHandle | None] = {}
        self._ended: deque[AsyncRun] = deque()
        self._left: set[asyncio.Future[Any]] = set()
        self._is_hungry = True
        self._next: TakenJob | None = None
        self._held: TakenJob | None = None
        self._stuck: list[Exception] = []
        self._step: tuple[str, bool] | None = None
        self._tries = 0
        self._timer: asyncio.TimerHandle | None = None
        self._descriptor: int | None = None

    def run(self, first: TakenJob) -> TakenJob | None:
        """Run a job, and what comes until none runs. The job that is to run next, where the last
        step has taken one that runs alone; raises what keeps the child from going on.
        """
        asyncio.set_event_loop(self._loop)
        self._loop.set_task_factory(_new_task)
        signal.signal(STOP, self._on_signal)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {STOP})
        self._watch.start()
        try:
            return self._loop.run_until_complete(self._serve(first))
        finally:
            self._child.hold_back(False)
            self._watch.end()
            self._threads.shutdown()

    async def _serve(self, first: TakenJob) -> TakenJob | None:
        self._start(first)
        self._soon()
        await self._over
        if self._left:
            await asyncio.wait(self._left, timeout=CLEAN_UP)
        return self._next

    # One pass: the end of a job that is over, or the take of another, in one step.

    def _soon(self, seconds: float = 0.0) -> None:
        self._wait_no_more()
        self._timer = self._loop.call_later(seconds, self._pass, context=self._context)

    def _wait_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._descriptor is not None:
            self._loop.remove_reader(self._descriptor)
            self._descriptor = None

    def _pass(self) -> None:
        self._wait_no_more()
        try:
            self._go_on()
        except Exception as error:  # else the loop would log it, and wait for ever
            if not self._over.done():
                self._over.set_exception(error)

    def _go_on(self) -> None:
        child = self._child
        if self._step is None:
            if self._ended and not child.owes_end and not self._end(self._ended[0]):
                return
            take = self._may_take()
            if not child.owes_end and not (take and self._is_hungry):
                self._rest()
                return
            self._step = new_identifier(), take
        identifier, take = self._step
        reply = child.try_step(identifier, take=take, again=self._tries > 0)
        if reply is None:
            self._try_later()
            return
        self._step, self._tries = None, 0
        ended = child.finish(reply)
        if ended is not None and ended.slot is not None:
            self._free.append(ended.slot)
        self._follow(reply)

    def _try_later(self) -> None:
        self._tries += 1
        wait = min(0.1 * 2**self._tries, PATIENCE)
        self._soon(wait * random.uniform(0.5, 1))  # noqa: S311

    def _may_take(self) -> bool:
        return (
            bool(self._free)
            and self._held is None
            and self._next is None
            and not self._stuck
            and not self._child.must_wait
            and self._child.leaves() is None
        )

    def _follow(self, reply: Reply) -> None:
        if reply.taken is TakeResult.JOB:
            self._is_hungry = True
            self._take(self._child.begin(reply))
        elif reply.taken is not TakeResult.NOTHING:
            self._is_hungry = reply.taken is TakeResult.MORE
        if reply.taken is TakeResult.SUSPENDED:
            self._rest(SUSPENDED)
        else:
            self._soon()

    def _rest(self, seconds: float | None = None) -> None:
        """Wait for what comes first: the end of a job, a notice of the server, the time to look."""
        if self._ended:
            self._soon()
            return
        if not self._running:
            self._leave()
            return
        self._child.write_counts()
        self._child.hold_back(self._held is not None or self._child.is_spent)
        if self._held is not None:
            self._timer = self._loop.call_later(LOOK, self._look_at_held, context=self._context)
        elif self._may_take():
            self._wait(seconds)

    def _wait(self, seconds: float | None) -> None:
        """Wait for a notice of the server, at most for ``seconds`` if given."""
        line = self._child.line
        if line.is_notified and seconds is None:
            self._descriptor = line.descriptor
            if self._descriptor is None:
                self._is_hungry = True
                self._soon()
                return
            self._loop.add_reader(self._descriptor, self._look)
        wait = seconds or (SAFETY if line.is_notified else POLL)
        self._timer = self._loop.call_later(wait, self._look, context=self._context)

    def _leave(self) -> None:
        if not self._over.done():
            if self._stuck:
                self._over.set_exception(self._stuck[0])
            else:
                self._over.set_result(None)

    def _look(self) -> None:
        self._is_hungry = True
        self._pass()

    # The jobs.

    def _take(self, taken: TakenJob) -> None:
        if taken.may_share:
            self._start(taken)
        elif not self._running:
            self._next = taken
        else:
            self._held = taken
            self._child.give_back(taken)

    def _look_at_held(self) -> None:
        """Whether another child has taken the job that this one gave back."""
        assert self._held is not None
        with suppress(*CLIENT_ERRORS):
            if not self._child.line.is_queued(self._held.owned.job):
                self._held, self._is_hungry = None, True
        self._pass()

    def _start(self, taken: TakenJob) -> None:
        taken.run_in(self._free.pop())
        self._child.current = taken
        if not self._jobs.may_begin(taken):
            return
        self._child.current = None
        run = self._jobs.async_run(taken, self._threads)
        task = run.start(self._loop)
        task.add_done_callback(partial(self._on_ended, run), context=self._context)
        self._running[run] = self._interrupt_at(run, taken.deadline)

    def _interrupt_at(self, run: AsyncRun, when: float) -> asyncio.TimerHandle | None:
        if when == float("inf"):
            return None
        return self._loop.call_at(when, self._interrupt, run, context=self._context)

    def _interrupt(self, run: AsyncRun) -> None:
        if run in self._running and not run.is_over:
            run.cancel()
            self._running[run] = self._interrupt_at(run, self._loop.time() + AGAIN)

    def _on_signal(self, _number: int, _frame: object) -> None:
        for run in list(self._running):
            asked = run.taken.slot and run.taken.slot.asked
            if asked and asked[0] == run.taken.owned.execution:
                run.ask(asked[1])
                self._loop.call_soon_threadsafe(self._interrupt, run, context=self._context)

    def _on_ended(self, run: AsyncRun, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            run.cancelled()
        left = [other for other in run.others if not other.done()]
        for other in left:
            other.cancel()
        if left:
            reason = f"{len(left)} tasks that it has started still ran; they are cancelled"
            log.warning("tasks left", job=run.taken.owned.job, reason=reason)
        self._left = {task for task in self._left if not task.done()} | set(left)
        self._ended.append(run)
        self._soon()

    def _end(self, run: AsyncRun) -> bool:
        """Let RQ end the run, or the next step; False where the server is away."""
        try:
            is_ours = self._jobs.may_end(run)
        except CLIENT_ERRORS:
            self._try_later()
            return False
        self._ended.popleft()
        timer = self._running.pop(run)
        if timer is not None:
            timer.cancel()
        if is_ours:
            try:
                self._jobs.end_async(run, self._in_thread)
            except OvertakenError:
                pass
            except CLIENT_ERRORS as error:
                # What is written of its end is not known: the worker finds out, once this child
                # has left.
                self._stuck.append(error)
                return True
            self._watch.arm()
        if not self._child.owes_end:
            run.taken.end()
            assert run.taken.slot is not None
            self._free.append(run.taken.slot)
        return True

    def _in_thread(self, work: Callable[[], object]) -> None:
        self._left.add(self._loop.run_in_executor(None, work))


def _new_task(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
    """A task, known to the run whose code starts it."""
    task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **options)
    run = RUN.get()
    if run is not None:
        run.others.add(task)
    return task
