"""What becomes of the jobs of children that died."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from resource import struct_rusage
from typing import Any

from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.executions import Execution
from rq.job import Job, JobStatus

from clock import keys, log
from clock.connection.errors import CLIENT_ERRORS
from clock.connection.scripts import script
from clock.jobs.lease import Leases
from clock.jobs.rq_versions import KEEPS
from clock.runs.run import RunOutcome
from clock.worker.child import LEAVES, REPLACE
from clock.worker.children import ChildProcess
from clock.worker.ending import Ending
from clock.worker.execution_owner import OwnedExecution
from clock.worker.fork_server import Ended
from clock.worker.graceful import LAST_WORDS
from clock.worker.last_taken import last_taken
from clock.worker.output_ring import Printed
from clock.worker.readable import fetch_job
from clock.worker.success import Command, delete_execution, put_back
from clock.worker.taken import TakenJob

AGAIN = 0.5
"""Seconds until the end of a job is written again where the server was away."""

PATIENCE = 3.0
"""Seconds for which a worker that was asked to stop goes on trying; then the job is abandoned, and
any other worker's to end."""

STOPPED = "stop-job"
"""Why a child was killed: somebody stopped its job."""

GRACE_IS_OVER = "SIGKILL"
"""Why a child was killed: the worker stops, and its job did not end."""

TOO_LONG = "JobTimeoutException"
"""Why a child was killed: its job could not be interrupted at its time limit."""

OVERTAKEN = "overtaken"
"""Why a child was killed: its job is another's by now."""

LEFT, REPLACED = LEAVES << 8, REPLACE << 8
"""The statuses, as ``os.wait4`` gives them, of a child that leaves by itself."""

KILLED = "kill-horse"
"""Why a child was killed: somebody said so."""


@dataclass(frozen=True, slots=True)
class Death:
    """A child that died, how, and an execution that it had begun, ``beside`` others or alone, with
    what its task had ``printed``.
    """

    child: ChildProcess
    ended: Ended
    owned: OwnedExecution
    beside: bool
    printed: Printed | None = None

    @property
    def reason(self) -> str:
        """Why the worker killed the child, where it did so because of this execution."""
        is_meant = self.child.culprit in {"", self.owned.execution}
        return self.child.reason if is_meant else ""


class Deaths:
    """The ends of jobs that a worker owes, because the child that ran them cannot write them."""

    def __init__(
        self,
        worker: Any,
        owned_by: Callable[[ChildProcess], list[OwnedExecution]],
        leases: Callable[[str], Leases],
    ) -> None:
        """``owned_by`` gives the executions that a child had begun, and ``leases`` those of the
        child that is called ``NAME.TOKEN``.
        """
        self._worker = worker
        self._owned_by = owned_by
        self._leases = leases
        self._owed: list[tuple[ChildProcess, Ended, list[OwnedExecution]]] = []
        self._printed: dict[str, Printed | None] = {}
        self._away_since: float | None = None

    @property
    def again(self) -> float | None:
        """Seconds until the next try to write them; None where there are none."""
        return AGAIN if self._owed else None

    @property
    def is_hopeless(self) -> bool:
        """Whether the server has been away for too long to wait for before a stop."""
        return self._away_since is not None and time.monotonic() > self._away_since + PATIENCE

    def add(self, child: ChildProcess, ended: Ended) -> None:
        """A child has ended; whether it had a job shows."""
        owned = self._owned_by(child)
        self._owed.append((child, ended, owned))
        # Before another child writes there.
        for execution in owned:
            self._printed[execution.execution] = child.printed(execution.execution)

    def deal(self) -> None:
        """Write what is owed; what the server does not take now is tried again."""
        while self._owed:
            child, ended, owned = self._owed[0]
            try:
                self._deal_with(child, ended, owned)
            except CLIENT_ERRORS as error:
                if self._away_since is None:
                    self._away_since = time.monotonic()
                    self._worker.log.error("Worker %s: %s", self._worker.name, error)
                return
            self._away_since = None
            del self._owed[0]

    def _deal_with(self, child: ChildProcess, ended: Ended, owned: list[OwnedExecution]) -> None:
        connection = self._worker.connection
        has_left = ended.status in {LEFT, REPLACED}
        last = last_taken(connection, child.owner)
        if last is not None and last.execution not in [known.execution for known in owned]:
            if has_left:
                self._put_back(last)
            else:
                owned = [*owned, last]
        if not owned and not has_left:
            log.warning("child died", worker=self._worker.name, reason=_how(ended.status))
        for execution in owned:
            printed = self._printed.get(execution.execution)
            self._end(Death(child, ended, execution, beside=len(owned) > 1, printed=printed))
            self._printed.pop(execution.execution, None)
        connection.delete(keys.heartbeat(child.owner), keys.step(child.owner))
        idle = connection.register_script(script("clock.worker", "idle.lua"))
        idle(keys=[self._worker.key])

    def _put_back(self, owned: OwnedExecution) -> None:
        """Let a job wait again that the child did not begin, since it was asked to stop before it
        had the reply of the step that took it. A job that has ended is not the child's any more.
        """
        worker = self._worker
        if not owned.may_end(worker.connection):
            return
        queue = worker.queue_called(owned.queue)
        job = _fetch(owned, queue)
        if job is None:
            self._forget(owned)
            return
        taken = TakenJob(job=job, queue=queue, worker=worker.name, owned=owned, fields={})
        self._execute([*put_back(taken), *self._deleted(owned)])

    def _end(self, death: Death) -> None:
        worker, owned = self._worker, death.owned
        if not owned.may_end(worker.connection):
            return
        queue = worker.queue_called(owned.queue)
        job = _fetch(owned, queue)
        if job is None or job.get_status(refresh=False) != JobStatus.STARTED:
            # It was deleted, or held because too many of its task run: then it waits already.
            self._forget(owned)
            return
        execution = Execution(owned.execution, owned.job, connection=worker.connection)
        if "w" in KEEPS:
            execution.worker_name = worker.name
        execution.created_at = job.started_at or owned.began
        job.ended_at = datetime.now(UTC)
        job.started_at = job.started_at or owned.began
        worker.end_of_dead(job, queue, execution, death)
        # Else it would hold its place for as long as a lease lasts.
        self._leases(owned.owner).release(job)

    def _forget(self, owned: OwnedExecution) -> None:
        self._execute(self._deleted(owned))

    def _deleted(self, owned: OwnedExecution) -> list[Command]:
        return delete_execution(owned.job, owned.execution, owned.queue, self._worker.name)

    def _execute(self, commands: Sequence[Command]) -> None:
        with self._worker.connection.pipeline() as pipeline:
            for command in commands:
                pipeline.execute_command(*command)
            pipeline.execute()


def _fetch(owned: OwnedExecution, queue: Queue) -> Job | None:
    """The job of an execution; None where it was deleted."""
    try:
        return fetch_job(owned.job, queue)
    except NoSuchJobError:
        return None


def ending_of_dead(death: Death, job: Job, grace: float) -> tuple[Ending, str]:
    """How the run ends whose child died, and the reason that its job shows."""
    reason, status = death.reason, death.ended.status
    if reason == STOPPED:
        return Ending(RunOutcome.STOPPED, STOPPED), ""
    if reason == GRACE_IS_OVER:
        return Ending(RunOutcome.STOPPED, "SIGKILL"), (
            f"stopped: its worker was asked to stop, and it ended neither within "
            f"{grace:g} s nor {LAST_WORDS:g} s after it was told"
        )
    outcome = RunOutcome.RETRIED if job.should_retry else RunOutcome.FAILED
    if reason == TOO_LONG:
        return Ending(outcome, TOO_LONG), (
            f"rq.timeouts.JobTimeoutException: Task exceeded maximum timeout value "
            f"({job.timeout} seconds)"
        )
    return Ending(outcome, _name(status)), (
        f"Work-horse terminated unexpectedly; waitpid returned {status}"
        f"{_signal_of(status)}; {_how(status)}"
    )


def usage_of(death: Death) -> struct_rusage | None:
    """What the child used in all, as RQ passes it on."""
    return None if death.ended.usage is None else struct_rusage(death.ended.usage)


def _name(status: int) -> str:
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    return f"exit {os.WEXITSTATUS(status)}"


def _signal_of(status: int) -> str:
    return f" (signal {os.WTERMSIG(status)})" if os.WIFSIGNALED(status) else ""


def _how(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"its process was killed by {_name(status)}"
    return f"its process ended by itself with exit code {os.WEXITSTATUS(status)}"
