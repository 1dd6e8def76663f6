"""A child of a worker: a process that runs one job after the other."""

from __future__ import annotations

import logging
import math
import random
import resource
import select
import time
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Any

from redis.exceptions import RedisError
from rq import Queue
from rq.executions import Execution
from rq.job import Job
from rq.serializers import DefaultSerializer

from clock.connection.errors import server_error
from clock.jobs.rq_versions import KEEPS
from clock.worker.execution_owner import OvertakenError, OwnedExecution
from clock.worker.slot import Running, Slot
from clock.worker.step import End, EndResult, Found, Line, Reply, new_identifier
from clock.worker.surroundings import Surroundings, close_old_connections

LEAVES = 0
"""Exit code of a child that has no more to do."""

REPLACE = 64
"""Exit code of a child that has run enough jobs, or has grown too large."""

PATIENCE = 5.0
"""Seconds between two tries to reach a server that is away, at most."""

SUSPENDED = 1.0
"""Seconds between two looks whether workers are still suspended, where the server tells nothing."""

log = logging.getLogger("clock")


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
        slot: Slot,
        stop: int,
        plan: Plan,
    ) -> None:
        """``worker`` is this process's own; ``owner`` is this child, as ``NAME.TOKEN``, ``text``
        what a person finds under its heartbeat, and ``stop`` a descriptor that is readable once
        the worker was asked to stop.
        """
        self._worker = worker
        self._slot = slot
        self._stop = stop
        self._stopping = select.poll()
        self._stopping.register(stop, select.POLLIN)
        self._plan = plan
        self.owner = owner
        """This child, as ``NAME.TOKEN``."""
        self._text = text
        self._line = Line(worker.connection, name=worker.name, owner=owner, text=text, keeps=KEEPS)
        self._surroundings = Surroundings()
        self._done = 0
        self._is_away = False
        self.fields: dict[bytes, bytes] = {}
        """The hash of the job that runs now, as it was taken."""
        self.owned: OwnedExecution | None = None
        """The execution of the job that runs now."""
        self._end: End | None = None
        self._ended: Callable[[Reply], None] = _nothing
        self._later: list[Callable[[], object]] = []

    def run(self) -> int:
        """Run jobs; the exit code of this process."""
        while True:
            code = self._leaves()
            if code is not None and self._end is None:
                return code
            reply = self._step(code is None and not self._later)
            if reply is None:
                continue
            self._finish(reply)
            if reply.found is Found.JOB:
                self._perform(reply)
            elif reply.found is Found.EMPTY:
                if self._plan.burst:
                    return LEAVES
                self._wait()
            elif reply.found is Found.SUSPENDED:
                if self._plan.burst:
                    log.warning("suspended", extra={"fields": {"worker": self._worker.name}})
                    return LEAVES
                self._wait(SUSPENDED)

    def end_in_step(
        self, commands: Sequence[Sequence[Any]], ended: Callable[[Reply], None] = _nothing
    ) -> None:
        """Let the next step write the end of the job that runs, by ``commands``, and call ``ended``
        with what became of it.
        """
        owned = self.owned
        assert owned is not None
        self._end = End(job=owned.job, entry=owned.entry, queue=owned.queue, commands=commands)
        self._ended, self._later = ended, []

    def after_end(self, work: Callable[[], object]) -> None:
        """Do ``work`` once the end of the job is written, and before another is taken."""
        if self._end is None:
            work()
        else:
            self._later.append(work)

    def _leaves(self) -> int | None:
        plan = self._plan
        if self._stopping.poll(0) or (plan.quota is not None and self._done >= plan.quota):
            return LEAVES
        if plan.replace is not None and self._done >= plan.replace:
            return REPLACE
        if plan.memory is not None and self._done and _memory() > plan.memory:
            return REPLACE
        return None

    def _step(self, take: bool) -> Reply | None:
        """The reply of the server, however long that takes; None where the worker was asked to
        stop meanwhile and there is nothing to end.
        """
        identifier, queues = new_identifier(), [queue.key for queue in self._worker.next_queues()]
        wait, again = 0.1, False
        while True:
            try:
                reply = self._line.step(identifier, self._end, queues, take=take, again=again)
            except (RedisError, OSError) as error:
                self._say_away(error)
                self._line.close()
                again = True
                if self._end is None and self._stopping.poll(0):
                    return None
                select.select([], [], [], wait * random.uniform(0.5, 1))  # noqa: S311
                wait = min(2 * wait, PATIENCE)
                continue
            if self._is_away:
                self._is_away = False
                log.warning("server back", extra={"fields": {"worker": self._worker.name}})
            return reply

    def _say_away(self, error: Exception) -> None:
        if not self._is_away:
            self._is_away = True
            fields = {"worker": self._worker.name, "reason": str(server_error(error))}
            log.warning("server away", extra={"fields": fields})

    def _finish(self, reply: Reply) -> None:
        """What follows from the end that a step has written, or has not."""
        for queue in reply.wrong_queues:
            self._worker.report_wrong_queue(queue)
        if reply.ended is EndResult.NOTHING:
            return
        ended, self._ended, self._end = self._ended, _nothing, None
        self._slot.ended()
        self._slot.idle(time.monotonic())
        for error in reply.errors:
            fields = {"job": self.owned and self.owned.job, "reason": error}
            log.error("end not complete", extra={"fields": fields})
        ended(reply)
        self.owned = None
        later, self._later = self._later, []
        for work in later:
            work()

    def _wait(self, seconds: float | None = None) -> None:
        self._slot.idle(time.monotonic())
        try:
            if seconds is None:
                self._line.wait(self._stop)
            else:
                self._line.wait(self._stop, seconds)
        except (RedisError, OSError):
            self._line.close()

    def _perform(self, reply: Reply) -> None:
        queue = self._worker.queue_called(reply.queue)
        owned = OwnedExecution(
            job=reply.job,
            execution=reply.execution,
            queue=queue.name,
            began=reply.at,
            owner=self.owner,
            text=self._text,
        )
        self.owned, self.fields = owned, reply.fields
        self._done += 1
        execution = _execution_of(reply, self._worker)
        job = self._restore(reply, queue)
        begun = time.monotonic()
        deadline = begun + _time_limit(job, queue)
        self._slot.begin(Running(reply.job, reply.execution, queue.name, begun, deadline))
        try:
            close_old_connections()
            try:
                copy_context().run(self._worker.perform, job, queue, execution, self)
            finally:
                self._surroundings.restore(reply.job)
        except OvertakenError as error:
            fields = {"job": reply.job, "reason": str(error)}
            log.warning("overtaken", extra={"fields": fields})
        finally:
            if self._end is None:
                self._slot.ended()
                self._slot.idle(time.monotonic())
                self.owned = None

    def _restore(self, reply: Reply, queue: Queue) -> Job:
        job = self._job(reply.job, queue)
        try:
            job.restore({name: reply.fields[name] for name in reply.fields.keys() - _SET_BY_STEP})
        except Exception as error:  # the hash is anybody's writing
            blank = self._job(reply.job, queue)
            blank.origin = queue.name
            blank.perform = partial(_raise, error)  # type: ignore[method-assign]
            return blank
        job.started_at = job.last_heartbeat = reply.at
        job.origin = job.origin or queue.name
        return job

    def _job(self, identifier: str, queue: Queue) -> Job:
        # RQ looks long at a serializer that it is given, and knows its own.
        serializer = None if queue.serializer is DefaultSerializer else queue.serializer
        job: Job = self._worker.job_class(
            identifier, connection=self._worker.connection, serializer=serializer
        )
        return job


def _execution_of(reply: Reply, worker: Any) -> Execution:
    execution = Execution(reply.execution, reply.job, connection=worker.connection)
    if "w" in KEEPS:
        execution.worker_name = worker.name
    execution.created_at = execution.last_heartbeat = reply.at
    return execution


def _time_limit(job: Job, queue: Queue) -> float:
    seconds: Any = job.timeout or queue.DEFAULT_TIMEOUT
    return float(seconds) if isinstance(seconds, int | float) and seconds > 0 else math.inf


def _memory() -> float:
    """Megabytes of this process that are in memory."""
    try:
        with open("/proc/self/statm") as file:
            pages = int(file.read().split()[1])
    except OSError:
        # macOS, which has no /proc, counts bytes here.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return pages * _PAGE / 2**20


def _raise(error: Exception) -> None:
    raise error


_PAGE = resource.getpagesize()

_SET_BY_STEP = {b"started_at", b"last_heartbeat"}
"""Fields that the step has written, and that need not be read again: RQ is slow at it."""
