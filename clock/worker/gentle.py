"""A worker that stops gently: the job in hand has its grace, and no job is lost on the way."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from threading import Lock
from types import FrameType

from redis.client import Pipeline
from rq import Queue
from rq import Worker as RQWorker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.suspension import is_suspended

from clock.connection.errors import server_errors
from clock.errors import ServerError
from clock.settings import GRACE
from clock.worker.grace import Grace
from clock.worker.hand import Hand
from clock.worker.interruption import Interruption, die_with, held_back

WAKE = 1
"""Seconds a worker waits for a job at once. In between it looks whether it was asked to stop: a
wait that a signal broke off could lose the job that came just then."""

log = logging.getLogger("clock")


class GentleWorker(RQWorker):
    """RQ's worker with another stop.

    What starts threads or is called by them holds ``_forking`` while it prints: a process forked
    meanwhile would wait for ever for the lock of stdout.
    """

    # RQ's minute is longer than a platform waits for a worker to stop.
    max_connection_wait_time = 5.0

    _grace_seconds = GRACE
    _grace: Grace | None = None
    _hand: Hand | None = None
    _waits_for_job = False
    _failure: BaseException | None = None

    def _prepare(self) -> None:
        self._forking = Lock()
        self._process = 0
        self._interruption = Interruption()

    def _install_signal_handlers(self) -> None:
        # RQ's ``pid`` is that of the process that made this object, which may have forked since.
        self._process = os.getpid()
        self._grace = Grace(
            self._grace_seconds,
            horse=lambda: self.horse_pid,
            kill=self.kill_horse,
            job=self._job_in_hand,
            forking=self._forking,
        )
        self._grace.start()
        signal.signal(signal.SIGINT, self._asked_to_stop)
        signal.signal(signal.SIGTERM, self._asked_to_stop)

    def _job_in_hand(self) -> str | None:
        return None if self._hand is None else self._hand.job

    def _asked_to_stop(self, number: int, _frame: FrameType | None) -> None:
        # A process that was just forked has this handler for a moment.
        if os.getpid() != self._process or self._grace is None:
            return
        if number == signal.SIGINT and multiprocessing.parent_process() is not None:
            # RQ's pool passes SIGTERM on as SIGINT.
            number = signal.SIGTERM
        is_first = not self._stop_requested
        self._stop_requested = True
        if is_first:
            self._shutdown_requested_date = datetime.now(UTC)
        self._grace.request(number)
        process = self.scheduler._process if is_first and self.scheduler else None
        if process is not None and process.pid:
            with suppress(OSError):
                os.kill(process.pid, signal.SIGTERM)

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """RQ's wait for a job, which a stop ends within a second without losing a job."""
        self._waits_for_job = True
        try:
            with self._failures():
                return super().dequeue_job_and_maintain_ttl(
                    None if timeout is None else WAKE, max_idle_time
                )
        finally:
            self._waits_for_job = False

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Remember what ends the worker though nobody asked for it: RQ logs it, and returns. What
        is raised in a block within this one, and dealt with there, ends nothing.
        """
        self._failure = None
        try:
            yield
        except (StopRequested, SystemExit):
            self._failure = None
            raise
        except BaseException as error:
            self._failure = error
            raise
        self._failure = None

    def reorder_queues(self, reference_queue: Queue) -> None:
        """RQ's; the first it does once it has a job in its hands."""
        self._waits_for_job = False
        super().reorder_queues(reference_queue)

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """RQ's; and where the worker waits for a job, the moment to obey a stop."""
        if self._waits_for_job and self._stop_requested:
            raise StopRequested
        with self._failures():
            super().heartbeat(timeout, pipeline)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run a job; one that came together with the request to stop, or as workers were suspended,
        goes back to where it was.
        """
        try:
            with self._failures():
                if self._stop_requested or self._is_suspended():
                    self._give_back(job, queue)
                else:
                    super().execute_job(job, queue)
        finally:
            self._hand = None
            self.execution = None

    def _is_suspended(self) -> bool:
        # A server that is away now must not cost the job, which is on no queue any more.
        with suppress(ServerError), server_errors():
            return bool(is_suspended(self.connection))
        return False

    def check_for_suspension(self, burst: bool) -> None:
        """RQ's: wait while workers are suspended."""
        with self._failures():
            super().check_for_suspension(burst)

    def _give_back(self, job: Job, queue: Queue) -> None:
        with self.connection.pipeline() as pipeline:
            pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
            queue.push_job_id(job.id, pipeline=pipeline, at_front=True)
            pipeline.execute()
        with self._forking:
            log.warning("given back", extra={"fields": {"job": job.id, "queue": queue.name}})

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """RQ's: start the process that runs a job."""
        with self._forking, held_back():
            super().fork_work_horse(job, queue)
        if self._hand is not None:
            self._hand.pid = self.horse_pid

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """RQ's: what that process does."""
        # Held by this very thread when it forked.
        self._forking.release()
        die_with(self._process)
        super().main_work_horse(job, queue)

    def setup_work_horse_signals(self) -> None:
        """RQ's; but SIGTERM, which a platform sends to every process, is for the worker."""
        super().setup_work_horse_signals()  # type: ignore[no-untyped-call]
        self._interruption.listen()

    def kill_horse(self, sig: signal.Signals = signal.SIGKILL) -> None:
        """RQ's: kill the process that runs the job, and what it started. In its first moment it is
        still in this process's group.
        """
        try:
            if os.getpgid(self.horse_pid) == os.getpgrp():
                os.kill(self.horse_pid, sig)
                return
        except ProcessLookupError:
            return
        super().kill_horse(sig)

    def run_maintenance_tasks(self) -> None:
        """RQ's; it may fork RQ's scheduler."""
        with self._forking, self._failures():
            super().run_maintenance_tasks()  # type: ignore[no-untyped-call]
