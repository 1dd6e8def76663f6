"""The job in hand: whose its execution is, and whether its end may still be written."""

from __future__ import annotations

from redis import Redis
from rq.executions import Execution
from rq.job import Job

from clock import keys
from clock.connection.scripts import script

RQ_KEEPS = 90
"""Seconds RQ keeps an execution after its last heartbeat."""


class Overtaken(Exception):
    """The execution was taken from this worker, which seemed dead; its end is not written."""


class Hand:
    """An execution of a job by one of our workers."""

    def __init__(self, job: Job, execution: Execution, *, worker: str, value: str) -> None:
        """``worker`` is the worker's identity, ``value`` what a person shall find under its key."""
        self.job = job.id
        self.execution = execution
        self.pid = 0
        """The process that runs it, once there is one."""
        self._job_key = job.key
        self._registry_key = job.started_job_registry.key
        self._worker = worker
        self._value = value

    def begin(self, connection: Redis) -> None:
        """Mark the execution as this worker's, who lives."""
        with connection.pipeline() as pipeline:
            pipeline.hset(self.execution.key, keys.OWNER, self._worker)
            pipeline.set(keys.heartbeat(self._worker), self._value, ex=keys.HEARTBEAT_TTL)
            pipeline.execute()

    def is_overtaken(self, connection: Redis) -> bool:
        """Give a sign of life; whether the execution was taken from this worker."""
        execution = self.execution
        return bool(
            connection.register_script(script("clock.worker", "beat.lua"))(
                keys=[
                    keys.heartbeat(self._worker),
                    self._job_key,
                    execution.key,
                    self._registry_key,
                ],
                args=[
                    self._value,
                    keys.HEARTBEAT_TTL,
                    self._worker,
                    execution.id,
                    execution.composite_key,
                    execution.created_at.timestamp(),
                    RQ_KEEPS,
                ],
            )
        )

    def may_end(self, connection: Redis) -> bool:
        """Whether the execution is still this worker's; then it stays so for ``keys.HEARTBEAT_TTL``
        seconds, time enough to write its end.
        """
        return bool(
            connection.register_script(script("clock.worker", "may_end.lua"))(
                keys=[self.execution.key, self._registry_key, keys.heartbeat(self._worker)],
                args=[
                    self._worker,
                    self.execution.composite_key,
                    self._value,
                    keys.HEARTBEAT_TTL,
                ],
            )
        )
