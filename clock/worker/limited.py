"""A worker that begins no more jobs of a task at once than are allowed over all workers."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from threading import Lock

from redis import Redis
from rq import Queue
from rq.job import Job

from clock.jobs.lease import Leases
from clock.worker.living import LivingWorker

log = logging.getLogger("clock")


class LimitedWorker(LivingWorker):
    """RQ's worker, which takes a lease before it begins a job of a limited task."""

    _limits: Mapping[str, int] = {}
    _leased: Job | None = None

    def _prepare(self) -> None:
        super()._prepare()
        # Held while a lease is renewed: one that is renewed after it was given back would last.
        self._leasing = Lock()

    def execute_job(self, job: Job, queue: Queue) -> None:
        """RQ's; a job for which there is no place is held, and begun by some worker later."""
        leases = self._leases(self.connection)
        if leases.limit_of(job) is None or self._stop_requested:
            super().execute_job(job, queue)
            return
        if not leases.take(job):
            fields = {"job": job.id, "task": job.func_name, "max_running": leases.limit_of(job)}
            with self._forking:
                log.info("held", extra={"fields": fields})
            return
        self._leased = job
        try:
            super().execute_job(job, queue)
        finally:
            with self._leasing:
                self._leased = None
            leases.release(job)

    def _at_each_beat(self, connection: Redis) -> None:
        super()._at_each_beat(connection)
        leases = self._leases(connection)
        with self._leasing:
            is_late = self._leased is not None and not leases.renew(self._leased)
        if is_late:
            reason = "its lease had ended, so more of its task may run than are allowed"
            with self._forking:
                log.warning(
                    "over limit", extra={"fields": {"job": self._job_in_hand(), "reason": reason}}
                )
        leases.wake()

    def _leases(self, connection: Redis) -> Leases:
        return Leases(
            connection=connection, app=self._app, worker=self._identity, limits=self._limits
        )
