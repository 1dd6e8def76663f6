"""A child of a worker: a process that runs one job after the other."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import select
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from clock import log
from clock.connection.errors import CLIENT_ERRORS, server_error
from clock.jobs.rq_versions import KEEPS
from clock.worker.async_jobs import AsyncJobs
from clock.worker.async_run import RUN
from clock.worker.child_jobs import ChildJobs
from clock.worker.execution_owner import OvertakenError
from clock.worker.output_capture import OutputCapture
from clock.worker.output_ring import Printed
from clock.worker.pending_counts import EVERY
from clock.worker.races import Races
from clock.worker.slot import Slot
from clock.worker.step import (
    PATIENCE,
    SUSPENDED,
    End,
    EndResult,
    Line,
    Reply,
    TakeResult,
    new_identifier,
)
from clock.worker.success import put_back
from clock.worker.surroundings import Surroundings, close_old_connections
from clock.worker.taken import TakenJob, restore_taken

LEAVES = 0
"""Exit code of a child that has no more to do."""

REPLACE = 64
"""Exit code of a child that has run enough jobs, or has grown too large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long a child goes on. ``quota`` is how many jobs it runs before it leaves, ``replace``
    before another takes its place, and ``memory`` the megabytes above which that happens; None for
    no bound. With ``burst`` it leaves when its queues are empty.
    """

    burst: bool = False
    quota: int | None = None
    replace: int | None = None
    memory: float | None = None


def _nothing(_reply: Reply) -> None:
    """Nothing follows."""


class Child:
    """Takes jobs for a worker of RQ's and lets it perform them, until it is time to leave."""

    def __init__(
        self,
        worker: Any,
        *,
        owner: str,
        text: str,
        slots: Sequence[Slot],
        stop: int,
        plan: Plan,
    ) -> None:
        """``worker`` is this process's own; ``owner`` is this child, as ``NAME.TOKEN``, ``text``
        what a person finds under its heartbeat, ``slots`` are where it says what it runs, the first
        for a job that runs alone, and ``stop`` a descriptor that is readable once
        the worker was asked to stop.
        """
        self._worker = worker
        self._slots = slots
        self._stop = stop
        self._stop_file = _file_of(stop)
        self._stopping = select.poll()
        self._stopping.register(stop, select.POLLIN)
        self._plan = plan
        self.jobs: ChildJobs
        """What begins and ends its jobs."""
        self.owner = owner
        """This child, as ``NAME.TOKEN``."""
        self._text = text
        self.line = Line(
            worker.connection,
            name=worker.name,
            owner=owner,
            text=text,
            keeps=KEEPS,
            job_prefix=worker.job_class.redis_job_namespace_prefix,
        )
        """Its line to the server."""
        self._surroundings = Surroundings()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._capture: OutputCapture | None = None
        self._races = Races()
        self._done = 0
        self._is_away = False
        self.current: TakenJob | None = None
        """The job that runs now or, of several, the one whose end is about to be written."""
        self._end: End | None = None
        self._ended: Callable[[Reply], None] = _nothing
        self._later: list[Callable[[], object]] = []

    def run(self, jobs: ChildJobs) -> int:
        """Run jobs, which ``jobs`` begins and ends; the exit code of this process, whose signal
        handlers must be there already.
        """
        self.jobs = jobs
        self._capture = OutputCapture(self._writer)
        self._surroundings = Surroundings()
        try:
            return self._run_jobs()
        finally:
            self.write_counts()

    def _run_jobs(self) -> int:
        while True:
            code = self.leaves()
            if code is not None and self._end is None:
                return code
            reply = self._step(code is None and not self._later)
            if reply is None:
                continue
            self.finish(reply)
            self._races.count(reply)
            if reply.taken is TakeResult.JOB:
                try:
                    self._run(self.begin(reply))
                except Exception:
                    self._write_end()
                    raise
            elif reply.taken is TakeResult.EMPTY:
                if self._plan.burst:
                    return LEAVES
                self._wait()
            elif reply.taken is TakeResult.SUSPENDED:
                if self._plan.burst:
                    log.warning("suspended", worker=self._worker.name)
                    return LEAVES
                self._wait(SUSPENDED)

    def end_in_step(self, end: End, ended: Callable[[Reply], None] = _nothing) -> None:
        """Let the next step write the ``end`` of the current job, and call ``ended`` with what
        became of it.
        """
        self._end = end
        self._ended, self._later = ended, []

    def after_end(self, work: Callable[[], object]) -> None:
        """Do ``work`` once the end of the job is written, and before another is taken."""
        if self._end is None:
            work()
        else:
            self._later.append(work)

    @property
    def owes_end(self) -> bool:
        """Whether the next step has an end to write, after which no job may be taken with
        ``must_wait``.
        """
        return self._end is not None

    @property
    def must_wait(self) -> bool:
        """Whether there is something to do between the end of the current job and the next."""
        return bool(self._later)

    def printed(self, taken: TakenJob) -> Printed | None:
        """What is kept of the output of a job whose run is over; None for nothing."""
        if taken.printed is None or self._capture is None:
            return None
        return self._capture.finish(taken.printed)

    def _writer(self) -> TakenJob | None:
        """The job that the calling code belongs to."""
        run = RUN.get()
        if run is not None:
            return run.taken
        is_beside = self._loop is not None and self._loop.is_running()
        # Of several jobs, which one a thread belongs to is not known.
        is_known = not is_beside or threading.current_thread() is threading.main_thread()
        return self.current if is_known else None

    def leaves(self) -> int | None:
        """The exit code with which the child has to leave; None where it may take another job."""
        plan = self._plan
        if self._surroundings.is_broken or _file_of(self._stop) != self._stop_file:
            # Once a task has closed the descriptor, this child would never be told to stop.
            return REPLACE
        if self._stopping.poll(0) or (plan.quota is not None and self._done >= plan.quota):
            return LEAVES
        if plan.replace is not None and self._done >= plan.replace:
            return REPLACE
        if plan.memory is not None and self._done and _memory() > plan.memory:
            return REPLACE
        return None

    @property
    def is_spent(self) -> bool:
        """Whether another is to take its place once its jobs have ended."""
        return self.leaves() == REPLACE

    def _step(self, take: bool) -> Reply | None:
        """The reply of the server, however long that takes; None where the worker was asked to
        stop meanwhile and there is nothing to end.
        """
        identifier, wait, again = new_identifier(), 0.1, False
        while True:
            reply = self.try_step(identifier, take=take, again=again)
            if reply is not None:
                return reply
            again = True
            if self._end is None and self._stopping.poll(0):
                return None
            select.select([], [], [], wait * random.uniform(0.5, 1))  # noqa: S311
            wait = min(2 * wait, PATIENCE)

    def try_step(self, identifier: str, *, take: bool, again: bool) -> Reply | None:
        """The reply to one step, as ``Line.step`` sends it; None where the server is away."""
        queues = self._worker.next_queues()
        try:
            reply = self.line.step(identifier, self._end, queues, take=take, again=again)
        except CLIENT_ERRORS as error:
            if not self._is_away:
                self._is_away = True
                log.warning(
                    "server away", worker=self._worker.name, reason=str(server_error(error))
                )
            self.line.close()
            return None
        if self._is_away:
            self._is_away = False
            log.warning("server back", worker=self._worker.name)
        return reply

    def finish(self, reply: Reply) -> TakenJob | None:
        """What follows from the end that a step has written, or has not; the job that it was."""
        for queue in reply.wrong_queues:
            self._worker.report_wrong_queue(queue)
        if reply.ended is EndResult.NOTHING:
            return None
        ended, self._ended, self._end = self._ended, _nothing, None
        current = self.current
        assert current is not None
        current.end()
        for error in reply.errors:
            log.error("end not complete", job=current.owned.job, reason=error)
        ended(reply)
        self.current = None
        later, self._later = self._later, []
        for work in later:
            work()
        return current

    def begin(self, reply: Reply) -> TakenJob:
        """The job that a step has taken."""
        self._done += 1
        return restore_taken(reply, self._worker, owner=self.owner, text=self._text)

    def give_back(self, taken: TakenJob) -> None:
        """Let the next step put a job back to where it was, as if it had not been taken."""
        self._done -= 1
        self.current = taken
        self.end_in_step(End(taken.owned, of_job=put_back(taken), is_put_back=True))

    def _write_end(self) -> None:
        """Write the end of the job that has run, where it waits for the next step."""
        if self._end is not None and (reply := self._step(take=False)) is not None:
            self.finish(reply)

    def write_counts(self) -> None:
        """Write what is counted of the runs, if the server can be reached."""
        counts = self.jobs.counts
        if counts and not self._is_away:
            with suppress(*CLIENT_ERRORS):
                self.line.write_trends(counts.rest())
                counts.written(time.time())

    def hold_back(self, is_holding: bool) -> None:
        """Say that this child takes no jobs for now, so that another stands in for it."""
        self._slots[0].hold_back(is_holding)

    def _wait(self, seconds: float | None = None) -> None:
        self._slots[0].idle(time.monotonic())
        try:
            if seconds is not None:
                self.write_counts()
                self.line.wait(self._stop, seconds)
            elif self._wait_for_job():
                select.select([self._stop], [], [], self._races.begin())
        except CLIENT_ERRORS:
            self.line.close()

    def _wait_for_job(self) -> bool:
        """Wait until the server says that something changed; whether it did."""
        if self.jobs.counts:
            if self.line.wait(self._stop, EVERY):
                return True
            self.write_counts()
        return self.line.wait(self._stop)

    def _run(self, taken: TakenJob | None) -> None:
        while taken is not None:
            taken.run_in(self._slots[0])
            close_old_connections()
            identifier = taken.owned.job
            try:
                if taken.may_share:
                    taken = self._run_async(taken)
                else:
                    self._perform(taken)
                    taken = None
            finally:
                self._surroundings.restore(identifier)

    def _run_async(self, taken: TakenJob) -> TakenJob | None:
        # One loop for the life of the process: what tasks keep open belongs to it.
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return AsyncJobs(self, self.jobs, self._slots[1:], self._loop).run(taken)

    def _perform(self, taken: TakenJob) -> None:
        self.current = taken
        try:
            copy_context().run(self.jobs.perform, taken)
        except OvertakenError as error:
            log.warning("overtaken", job=taken.owned.job, reason=str(error))
        finally:
            if self._end is None:
                taken.end()
                self.current = None


def _file_of(descriptor: int) -> tuple[int, int] | None:
    """Which file it is that a descriptor leads to; None for one that is closed."""
    try:
        status = os.fstat(descriptor)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _memory() -> float:
    """Megabytes of this process that are in memory."""
    try:
        with open("/proc/self/statm") as file:
            pages = int(file.read().split()[1])
    except OSError:
        # macOS, which has no /proc, counts bytes here.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return pages * _PAGE / 2**20


_PAGE = resource.getpagesize()
