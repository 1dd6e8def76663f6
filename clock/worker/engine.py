"""What runs a worker's jobs: its children, looked after from the worker's own process."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, NoReturn

from redis import Redis
from rq.exceptions import NoSuchJobError

from clock import keys, log
from clock.connection.client import copy_client
from clock.connection.errors import CLIENT_ERRORS
from clock.jobs.lease import Leases
from clock.ledger.new_jobs import count_new_jobs
from clock.settings import Settings
from clock.stop import Stop
from clock.worker.child import Child, Plan
from clock.worker.children import ChildProcess, Children
from clock.worker.deaths import GRACE_IS_OVER, OVERTAKEN, TOO_LONG, Deaths
from clock.worker.due import move_due
from clock.worker.execution_owner import OwnedExecution
from clock.worker.graceful import Grace, RunningJob
from clock.worker.heartbeat import Heartbeat
from clock.worker.interruption import STOP
from clock.worker.reaper import Reaper
from clock.worker.slot import Request
from clock.worker.spawned_child import MAIN, ChildDescription
from clock.worker.start_method import spawn
from clock.worker.stop_commands import StopCommands
from clock.worker.usage import UsageMeter

SLACK = 60.0
"""Seconds after its time limit at which a child is killed whose job could not be interrupted."""


class Engine:
    """Keeps the children of ``worker``, a worker of RQ's, going until there is no more to do."""

    def __init__(
        self,
        worker: Any,
        settings: Settings,
        *,
        owner: str,
        count: int,
        burst: bool,
        run: Callable[[Child], NoReturn],
        prepare: Callable[[], None],
        description: bytes | None = None,
    ) -> None:
        """``owner`` is the worker, as ``NAME.TOKEN``, and ``count`` how many children it has.
        ``run`` is what one of them does, in its own process; ``prepare`` is done before the first.
        With a ``description`` of the worker, as ``describe`` gives it, children are not forked.
        """
        self._worker = worker
        self._settings = settings
        self._owner = owner
        self._burst = burst
        self._run = run
        self._process = os.getpid()
        self.stop = Stop()
        self._children = Children(
            count,
            worker.name,
            concurrency=settings.concurrency,
            has_output=settings.output_memory > 0,
            run=self._run_child,
            prepare=prepare,
            spawn=None if description is None else partial(self._spawn_child, description),
        )
        self.stop_commands = StopCommands(self._children, worker.connection)
        self._deaths = Deaths(
            worker, self._owned_by, lambda owner: self.leases(worker.connection, owner)
        )
        self._grace = Grace(
            settings.grace, running=self._running_jobs, tell=self._tell, kill=self._kill
        )
        self._heartbeat: Heartbeat | None = None
        self._usage = UsageMeter(lambda: [self._process, *self._children.pids])

    @property
    def done(self) -> int:
        """How many jobs have ended."""
        return self._children.done

    def start(self) -> None:
        """Start the process that forks the children. To be called before any thread is started."""
        self._children.start()

    def watch(self, since: float | None) -> None:
        """Start the threads that send heartbeats and wait for a stop. ``since`` is when the server
        first answered, on ``time.monotonic()``.
        """
        worker = self._worker
        connection = copy_client(worker.connection)
        reaper = Reaper(connection, worker.queues, app=self._settings.app)
        self._heartbeat = Heartbeat(
            connection,
            name=worker.name,
            owner=self._owner,
            text=self._text,
            worker_ttl=worker.worker_ttl + 60,
            children=self._executions,
            on_overtaken=self._on_overtaken,
            on_unknown=worker.register_again,
            reap=partial(self._look, connection, reaper),
            at_beat=[worker.say_stopping, self._renew_leases],
            at_tick=[lambda client: move_due(client, worker.queues)],
            since=since,
            job_prefix=worker.job_class.redis_job_namespace_prefix,
            fields=self._used,
        )
        self._heartbeat.start()
        self._grace.start()

    def manage(self, max_jobs: int | None, max_idle_time: int | None) -> None:
        """Keep the children going until they were asked to stop, or have no more to do: at most
        ``max_jobs`` jobs, or none for ``max_idle_time`` seconds.
        """
        children, stop, deaths = self._children, self.stop, self._deaths
        while True:
            if not stop.is_set():
                self._maintain()
                children.spawn(None if max_jobs is None else max(0, max_jobs - children.done))
            for child, ended in children.ended(
                deaths.again or 1.0, [] if stop.is_set() else [stop]
            ):
                deaths.add(child, ended)
            deaths.deal()
            self._kill_late()
            if max_idle_time is not None and self._idle_for() >= max_idle_time:
                self._worker.log.info(
                    "Worker %s: idle for %d seconds, quitting", self._worker.name, max_idle_time
                )
                stop.set()
            is_over = stop.is_set() or children.have_left
            has_all_ended = not deaths.again or (stop.is_set() and deaths.is_hopeless)
            if is_over and not children.living and has_all_ended:
                return

    def request_stop(self, number: int) -> None:
        """Let the children end, within the grace that the signal ``number`` gives; safe in a signal
        handler. A process that somebody forked from this one ignores it.
        """
        if os.getpid() == self._process:
            self._grace.request(number)
            self.stop.set()

    def end_heartbeats(self) -> None:
        """Send no more heartbeats."""
        if self._heartbeat is not None:
            self._heartbeat.end()

    def close(self) -> None:
        """End what is left."""
        self.end_heartbeats()
        self._grace.end()
        self._children.close()

    def leases(self, connection: Redis, owner: str) -> Leases:
        """The leases of a worker or child, as ``NAME.TOKEN``."""
        return leases_of(self._worker, self._settings, connection, owner)

    @property
    def _text(self) -> str:
        return f"{socket.gethostname()} {self._process}"

    def _look(self, connection: Redis, reaper: Reaper) -> None:
        """What one worker does for all, when it is its turn."""
        count_new_jobs(connection, self._settings.app, time.time())
        reaper.look(time.time())

    def _used(self, now: float) -> Mapping[str, str]:
        usage = self._usage.read(now)
        return {} if usage is None else usage.fields()

    def _run_child(self, index: int, owner: str, quota: int | None) -> NoReturn:
        child = Child(
            self._worker,
            owner=owner,
            text=self._text,
            slots=self._children.slots(index),
            stop=self.stop.fileno(),
            plan=self._plan(index, quota),
        )
        self._run(child)

    def _spawn_child(
        self,
        worker: bytes,
        index: int,
        owner: str,
        quota: int | None,
        mask: set[int | signal.Signals],
    ) -> int:
        child = ChildDescription(
            parent=os.getpid(),
            index=index,
            owner=owner,
            text=self._text,
            stop=self.stop.fileno(),
            memory=self._children.memory,
            concurrency=self._settings.concurrency,
            has_output=self._settings.output_memory > 0,
            plan=self._plan(index, quota),
        )
        inherited = (child.stop, child.memory)
        return spawn(MAIN, worker + pickle.dumps(child), inherited=inherited, mask=mask)

    def _plan(self, index: int, quota: int | None) -> Plan:
        return Plan(
            burst=self._burst or self._children.is_stand_in(index),
            quota=quota,
            replace=self._settings.child_max_jobs,
            memory=self._settings.child_max_memory,
        )

    def _maintain(self) -> None:
        if self._worker.should_run_maintenance_tasks:
            try:
                self._worker.run_maintenance_tasks()
            except CLIENT_ERRORS:
                # The heartbeat says that the server is away; it is tried again in a while.
                self._worker.last_cleaned_at = datetime.now(UTC)

    def _kill_late(self) -> None:
        for child, running in self._children.running:
            if time.monotonic() > running.deadline + SLACK:
                log.warning("killed", job=running.job, reason="its time limit did not interrupt it")
                child.kill(TOO_LONG, running.execution)

    def _idle_for(self) -> float:
        """Seconds for which no child has had a job; 0 while one has."""
        idle = [child.idle_since for child in self._children.living]
        since = [at for at in idle if at is not None]
        if not idle or len(since) < len(idle):
            return 0.0
        return time.monotonic() - max(since)

    def _executions(self) -> Sequence[tuple[str, OwnedExecution | None]]:
        executions: list[tuple[str, OwnedExecution | None]] = []
        for child in self._children.living:
            owned = self._owned_by(child)
            executions += [(child.owner, execution) for execution in owned] or [(child.owner, None)]
        return executions

    def _owned_by(self, child: ChildProcess) -> list[OwnedExecution]:
        return [
            OwnedExecution(
                job=running.job,
                execution=running.execution,
                queue=running.queue,
                began=datetime.fromtimestamp(time.time() - time.monotonic() + running.began, UTC),
                owner=child.owner,
                text=self._text,
            )
            for running in child.running
        ]

    def _running_jobs(self) -> Sequence[RunningJob]:
        return [
            RunningJob(child.pid, running.job, running.execution)
            for child, running in self._children.running
            if child.pid
        ]

    def _tell(self, job: RunningJob) -> None:
        for child in self._children.living:
            if child.pid == job.pid and child.runs_alone:
                child.signal(STOP)
            elif child.pid == job.pid:
                child.ask(job.execution, Request.STOP)

    def _kill(self, pid: int) -> None:
        for child in self._children.living:
            if child.pid == pid:
                child.kill(GRACE_IS_OVER)

    def _on_overtaken(self, execution: str) -> None:
        for child, running in self._children.running:
            if running.execution == execution:
                reason = "this worker seemed dead, and its job was taken from it; killing the run"
                log.error("overtaken", job=running.job, reason=reason)
                child.end(running, OVERTAKEN, Request.LEAVE)

    def _renew_leases(self, connection: Redis) -> None:
        """Renew the leases of running jobs, and let held ones go for which there is a place."""
        if not connection.exists(keys.limits(self._settings.app)):
            return
        for owner, owned in self._executions():
            if owned is None:
                continue
            with suppress(NoSuchJobError):
                job = self._worker.job_class.fetch(
                    owned.job, connection=connection, serializer=self._worker.serializer
                )
                if not self.leases(connection, owner).renew(job):
                    reason = "its lease had ended, so more of its task may run than are allowed"
                    log.warning("over limit", job=owned.job, reason=reason)
        self.leases(connection, self._owner).wake()


def leases_of(worker: Any, settings: Settings, connection: Redis, owner: str) -> Leases:
    """The leases of ``worker`` or of a child of it, as ``NAME.TOKEN``."""
    return Leases(
        connection=connection,
        app=settings.app,
        worker=owner,
        limits=settings.max_running,
        job_prefix=worker.job_class.redis_job_namespace_prefix,
    )
