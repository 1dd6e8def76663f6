"""A job that a child has taken, as RQ knows it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from inspect import iscoroutinefunction
from typing import Any

from rq import Queue
from rq.executions import Execution
from rq.job import Job
from rq.serializers import DefaultSerializer

from clock import keys
from clock.jobs.rq_versions import KEEPS
from clock.worker.execution_owner import OwnedExecution
from clock.worker.job_hash import JobHash
from clock.worker.printed_lines import PrintedLines
from clock.worker.readable import unreadable_job
from clock.worker.slot import LONGEST, Running, Slot
from clock.worker.step import Reply

ALONE_AFTER = 2
"""Deaths of children, among other jobs, after which a job is run alone."""

_IS_ASYNC: dict[str, bool] = {}
"""Whether a task is an ``async def``, by its dotted name."""


@dataclass(slots=True, kw_only=True, eq=False)
class TakenJob:
    """A job, taken by a child of the ``worker`` of this name, and its hash as it was taken
    (``fields``), ``stored`` where that could be read. ``release`` gives its lease back, where it
    has one; ``printed`` is there once it has printed or logged.
    """

    job: Job
    queue: Queue
    worker: str
    owned: OwnedExecution
    fields: dict[bytes, bytes]
    stored: JobHash | None = None
    deadline: float = math.inf
    slot: Slot | None = None
    release: Callable[[], object] | None = None
    printed: PrintedLines | None = None

    @property
    def execution(self) -> Execution:
        """Its execution, as RQ knows it."""
        owned = self.owned
        execution = Execution(owned.execution, owned.job, connection=self.job.connection)
        if "w" in KEEPS:
            execution.worker_name = self.worker
        execution.created_at = execution.last_heartbeat = owned.began
        return execution

    @property
    def time_limit(self) -> float:
        """Seconds the job may take; infinite for any number."""
        seconds = self.stated_limit
        return float(seconds) if isinstance(seconds, int | float) and seconds > 0 else math.inf

    @property
    def stated_limit(self) -> Any:
        """The time limit as RQ says it."""
        return self.job.timeout or self.queue.DEFAULT_TIMEOUT

    @property
    def may_share(self) -> bool:
        """Whether it may run beside others: its task is an ``async def``, and it has not been there
        each time when a process died of one of several.
        """
        if not _is_async(self.job):
            return False
        deaths = self.fields.get(keys.DEATHS.encode(), b"")
        was_there = deaths.isdigit() and int(deaths) >= ALONE_AFTER
        names = len(self.owned.job.encode()) + len(self.owned.queue.encode())
        return not was_there and names <= LONGEST

    def run_in(self, slot: Slot) -> None:
        """Its run begins now, if it has not begun yet, and is shown in the slot."""
        before, self.slot = self.slot, slot
        now = time.monotonic()
        if before is None:
            self.deadline = now + self.time_limit
        owned = self.owned
        slot.begin(Running(owned.job, owned.execution, owned.queue, now, self.deadline))
        if before is not None:
            before.idle(now)

    def end(self) -> None:
        """Its run is over, and its end is written."""
        if self.slot is not None:
            self.slot.ended()
            self.slot.idle(time.monotonic())


def restore_taken(reply: Reply, worker: Any, *, owner: str, text: str) -> TakenJob:
    """The job that a step has taken for a child of ``worker``'s; ``owner`` and ``text`` as for
    OwnedExecution.
    """
    queue = worker.queue_called(reply.queue)
    job, stored = _restore(reply, queue, worker)
    owned = OwnedExecution(
        reply.job, reply.execution, queue.name, began=reply.at, owner=owner, text=text
    )
    return TakenJob(
        job=job, stored=stored, queue=queue, worker=worker.name, owned=owned, fields=reply.fields
    )


def _restore(reply: Reply, queue: Queue, worker: Any) -> tuple[Job, JobHash | None]:
    # RQ looks long at a serializer that it is given, and knows its own.
    serializer = None if queue.serializer is DefaultSerializer else queue.serializer
    try:
        stored = JobHash(
            worker.job_class,
            reply.job,
            reply.fields,
            connection=worker.connection,
            serializer=serializer,
        )
    except Exception as error:  # the hash is anybody's writing
        blank = unreadable_job(reply.job, queue, reply.fields.get(b"data"))
        blank.perform = partial(_raise, error)  # type: ignore[method-assign]
        return blank, None
    job = stored.job
    job.origin = job.origin or queue.name
    return job, stored


def _is_async(job: Job) -> bool:
    """Whether its task is an ``async def``, and RQ's own code is all there is around it. False also
    for one that cannot be imported: that shows when it is run.
    """
    kind: Any = type(job)
    if kind.perform is not Job.perform or kind._execute is not Job._execute:
        return False
    try:
        name = job.func_name
        if name is None or job.instance is not None:
            return iscoroutinefunction(job.func)
        if name not in _IS_ASYNC:
            _IS_ASYNC[name] = iscoroutinefunction(job.func)
        return _IS_ASYNC[name]
    except Exception:  # whatever its module or its serializer raises
        return False


def _raise(error: Exception) -> None:
    raise error
