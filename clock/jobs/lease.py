"""Leases: they limit how many jobs of a task run at once, over all workers.

A worker takes a lease before it begins a job whose task is limited, renews it while the job runs,
and gives it back at the end. The lease of a worker that was killed ends by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redis import Redis
from rq.exceptions import DeserializationError
from rq.job import Job
from rq.utils import as_text

from clock import keys
from clock.connection import rq_keys
from clock.connection.scripts import script
from clock.jobs.occurrence import meta_of
from clock.jobs.rq_versions import fill_rate_limit

LEASE = 20.0
"""Seconds a lease lasts unless it is renewed. A worker of ours renews it every few seconds, so that
none ends because the server was away for a moment."""

AGAIN = 600
"""Seconds after which RQ's scheduler puts a held job on its queue, where no worker did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leases:
    """The leases of one worker, called ``worker``.

    ``limits`` says how many jobs of a task may run at once, by the task's dotted name; a job whose
    meta has ``max_running`` is held to that too. A task without a limit costs nothing.
    ``lease`` is in seconds and must be longer than the pauses between two renewals; ``job_prefix``
    is what the keys of jobs begin with.

    Every method raises what the client raises.
    """

    connection: Redis
    app: str
    worker: str
    limits: Mapping[str, int]
    lease: float = LEASE
    job_prefix: str = rq_keys.JOB

    def take(self, job: Job) -> bool:
        """Whether the job may begin. Where it may not it is held, off its queue, and comes back to
        the front of it when a lease ends; no attempt is counted.
        """
        limit = self.limit_of(job)
        if limit is None:
            return True
        since = job.enqueued_at or job.created_at
        queue = rq_keys.QUEUE + job.origin
        return bool(self._ask("take", job, limit, queue, since.timestamp(), AGAIN))

    def renew(self, job: Job) -> bool:
        """Let the job's lease begin anew; False where it had ended, so that more jobs than allowed
        may run.
        """
        limit = self.limit_of(job)
        return limit is None or bool(self._ask("renew", job, limit))

    def release(self, job: Job) -> int:
        """Give the job's lease back; returns how many held jobs went to their queues."""
        limit = self.limit_of(job)
        return 0 if limit is None else self._ask("release", job, limit)

    def wake(self) -> int:
        """Let held jobs go for which there is a place since a lease ended by itself; returns how
        many. It is to be called every few seconds by some worker.
        """
        if not self.connection.exists(keys.limits(self.app)):
            return 0
        return self._run([keys.limits(self.app)], ["wake", *self._head()])

    def limit_of(self, job: Job) -> int | None:
        """How many jobs of its task may run at once for this one to begin, None for any number."""
        own = meta_of(job).get("max_running")
        limits = [own] if type(own) is int and own >= 1 else []
        task = _task(job)
        if task in self.limits:
            limits.append(self.limits[task])
        return min(limits, default=None)

    def _ask(self, what: str, job: Job, limit: int, *more: Any) -> int:
        task = _task(job)
        names = [keys.limits(self.app), keys.running(self.app, task), keys.held(self.app, task)]
        lease = int(self.lease * 1000)
        own = [task, limit, lease, job.id, self.worker]
        return self._run(names, [what, *self._head(), *own, *more])

    def _head(self) -> tuple[str, str, int, str]:
        return keys.running(self.app, ""), keys.held(self.app, ""), keys.TTL, self.job_prefix

    def _run(self, names: list[str], arguments: list[Any]) -> int:
        call = self.connection.register_script(script("clock.jobs", "lease.lua"))
        reply = call(keys=names, args=arguments)
        count, limits = reply if isinstance(reply, list) else (reply, [])
        for limit in {as_text(name) for name in limits}:
            fill_rate_limit(self.connection, limit)
        return int(count)


def _task(job: Job) -> str:
    try:
        return as_text(job.func_name or "")
    except DeserializationError:
        # Whatever is wrong with it, the worker finds out when it begins the job.
        return ""
