"""A worker that gives signs of life, and takes care of the jobs of those that give none."""

from __future__ import annotations

import logging
import socket
import time
from datetime import UTC, datetime

from redis import Redis
from rq import Queue
from rq.executions import Execution
from rq.job import Job
from rq.utils import as_text, utcformat
from rq.worker_registration import clean_worker_registry

from clock import keys
from clock.connection import rq_keys
from clock.connection.client import copy_client
from clock.jobs.rq_versions import clean_waiting, with_execution
from clock.worker.gentle import GentleWorker
from clock.worker.hand import Hand, Overtaken
from clock.worker.presence import Presence
from clock.worker.sweep import Sweep

log = logging.getLogger("clock")


class LivingWorker(GentleWorker):
    """RQ's worker with a sign of life that is known to end soon after it."""

    _app = "clock"
    _identity = ""
    _heard_since: float | None = None
    _presence: Presence | None = None

    def _install_signal_handlers(self) -> None:
        super()._install_signal_handlers()
        connection = copy_client(self.connection)
        sweep = Sweep(connection, self.queues, app=self._app, forking=self._forking)
        self._presence = Presence(
            connection,
            worker=self._identity,
            value=self._shown(),
            hand=lambda: self._hand,
            overtaken=self._overtaken,
            sweep=lambda: sweep.look(time.time()),
            at_each=self._at_each_beat,
            forking=self._forking,
            since=self._heard_since,
        )
        self._presence.start()

    def _at_each_beat(self, connection: Redis) -> None:
        """What else is to be done every few seconds, in the thread that gives the signs of life."""
        if self._shutdown_requested_date is not None:
            requested = utcformat(self._shutdown_requested_date)
            connection.hset(self.key, "shutdown_requested_date", requested)

    def _shown(self) -> str:
        return f"{socket.gethostname()} {self.pid}"

    def _overtaken(self, hand: Hand) -> None:
        fields = {
            "job": hand.job,
            "reason": "this worker seemed dead, and its job was taken from it; killing the run",
        }
        with self._forking:
            log.error("overtaken", extra={"fields": fields})
        # By now it may have found out itself, and this worker be at its next job.
        if hand.pid and hand.pid == self.horse_pid:
            self.kill_horse()

    def register_birth(self) -> None:
        """RQ's; a name is free again soon after the death of a worker that had it, not minutes."""
        before = self.connection.hget(self.key, keys.OWNER)
        self._heard_since = time.monotonic()
        if before is not None and self._is_dead(as_text(before)):
            # What the dead one ran is with its key, and is not what this one runs.
            self.connection.delete(self.key, rq_keys.executions_of_worker(self.name))
        super().register_birth()  # type: ignore[no-untyped-call]
        self.connection.hset(self.key, keys.OWNER, self._identity)

    def _is_dead(self, identity: str) -> bool:
        deadline = time.monotonic() + keys.HEARTBEAT_TTL + 1
        while self.connection.exists(keys.heartbeat(identity)):
            if self.connection.hexists(self.key, "death") or time.monotonic() > deadline:
                return False
            time.sleep(0.5)
        return True

    def register_death(self) -> None:
        """RQ's; the sign of life ends with it."""
        if self._presence is not None:
            self._presence.end()
        if self._shutdown_requested_date is not None:
            self.set_shutdown_requested_date()  # type: ignore[no-untyped-call]
        super().register_death()  # type: ignore[no-untyped-call]
        self.connection.delete(keys.heartbeat(self._identity))

    def clean_registries(self) -> None:
        """RQ's upkeep of its registries. Abandoned ones are judged by ``Sweep``."""
        for queue in self.queues:
            if queue.acquire_maintenance_lock():
                queue.finished_job_registry.cleanup()
                queue.failed_job_registry.cleanup()
                clean_worker_registry(queue)
                clean_waiting(queue)
                queue.release_maintenance_lock()  # type: ignore[no-untyped-call]
        self.last_cleaned_at = datetime.now(UTC)  # type: ignore[assignment]

    def prepare_execution(self, job: Job) -> Execution:
        """RQ's: tell that the job is begun; and whose it is."""
        execution = super().prepare_execution(job)
        hand = Hand(job, execution, worker=self._identity, value=self._shown())
        hand.begin(self.connection)
        self._hand = hand
        return execution

    def maintain_heartbeats(self, job: Job, execution: Execution | None = None) -> None:
        """RQ's, which would revive what RQ knows of an execution that another worker has ended."""
        if self._hand is None or not self._hand.is_overtaken(self.connection):
            told = with_execution(super().maintain_heartbeats, execution)
            super().maintain_heartbeats(job, **told)

    def handle_execution_ended(self, job: Job, queue: Queue, heartbeat_ttl: int) -> None:
        """RQ's first step after a run, which leads nowhere where the job is another worker's by
        now: raises Overtaken, and the process ends.
        """
        if not self._may_end():
            raise Overtaken(f"job {job.id} was taken from this worker")
        super().handle_execution_ended(job, queue, heartbeat_ttl)

    def _may_end(self) -> bool:
        return self._hand is None or self._hand.may_end(self.connection)
