"""A handle on a job: its status, its progress, its result."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import Any

from redis import Redis
from rq.job import Job
from rq.serializers import resolve_serializer
from rq.utils import as_text

from clock import keys
from clock.connection import rq_keys
from clock.connection.client import with_timeout
from clock.connection.errors import server_errors
from clock.connection.scripts import script
from clock.errors import (
    JobError,
    JobExpiredError,
    JobFailedError,
    JobServerError,
    JobTimeoutError,
    JobUnknownError,
    WaitRefusedError,
)
from clock.inside import is_inside_the_clock
from clock.jobs.progress import Progress, read_progress
from clock.jobs.rq_versions import leave_rate_limit
from clock.jobs.stop import stop
from clock.jobs.target import ANSWER, Target, find_target
from clock.recurrence.duration import Timeout, parse_timeout
from clock.schedule.builder import BUILDER

LOOK_AGAIN = 1.0
"""Seconds between two looks. A result ends a wait at once; only a look sees an end without one."""


class Status(StrEnum):
    """The status of a job."""

    WAITING = "waiting"
    """On its queue, or to be put there: delayed, to be tried again, behind another job, or until
    fewer jobs of its rate limit run."""
    RUNNING = "running"
    """A worker has begun it, and is not known to be dead."""
    FINISHED = "finished"
    FAILED = "failed"
    """Its last attempt failed, or it was stopped or cancelled."""
    SKIPPED = "skipped"
    """It ended by raising Skip."""
    EXPIRED = "expired"
    """It was not started in time, and will not be."""
    UNKNOWN = "unknown"
    """The server does not know it: it never existed, or is no longer kept."""


_STATUS = {
    **dict.fromkeys(("created", "queued", "scheduled", "deferred"), Status.WAITING),
    **dict.fromkeys(("rate_limited", "ready_to_enqueue"), Status.WAITING),  # since RQ 3
    "started": Status.RUNNING,
    "finished": Status.FINISHED,
    **dict.fromkeys(("failed", "stopped", "canceled"), Status.FAILED),
}
"""The status by RQ's name for it."""

_ENDS = {Status.FINISHED, Status.FAILED, Status.SKIPPED}


class Handle:
    """A job, by its id: ``Handle(id)`` is as good as the one that ``enqueue`` returned.

    ``is_new`` is False where ``enqueue`` found the job there already, or an equal one that stood
    for it. Every method that asks the server raises JobServerError where it does not answer.
    """

    __slots__ = ("_target", "id", "is_new")

    def __init__(
        self,
        id: str,
        connection: Redis | None = None,
        *,
        is_new: bool = False,
        target: Target | None = None,
    ) -> None:
        self.id = id
        self.is_new = is_new
        self._target = target or find_target(connection)

    def __repr__(self) -> str:
        return f"Handle({self.id!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Handle) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def status(self) -> Status:
        """The status of the job now."""
        connection = with_timeout(self._target.connection, ANSWER)
        with (
            server_errors(connection, JobServerError),
            connection.pipeline(transaction=True) as pipeline,
        ):
            pipeline.hmget(Job.key_for(self.id), "status", "meta")
            pipeline.get(keys.expires(self.id))
            pipeline.time()
            (status, meta), expires, (now, micro) = pipeline.execute()
        if status is None:
            has_expired = expires is not None and now * 1000 + micro // 1000 >= int(expires)
            return Status.EXPIRED if has_expired else Status.UNKNOWN
        word = _STATUS.get(as_text(status), Status.UNKNOWN)
        is_skipped = word is Status.FINISHED and self._mark(meta) == "skipped"
        return Status.SKIPPED if is_skipped else word

    def progress(self) -> Progress | None:
        """The progress its task last reported, or None."""
        connection = with_timeout(self._target.connection, ANSWER)
        with server_errors(connection, JobServerError):
            return read_progress(connection, self.id)

    def cancel(self) -> bool:
        """Keep the job from being run, and return whether it was waiting: one that runs goes on."""
        connection = with_timeout(self._target.connection, ANSWER)
        with server_errors(connection, JobServerError):
            call = connection.register_script(script("clock.jobs", "cancel.lua"))
            was_waiting, limit = call(keys=[Job.key_for(self.id)], args=[self.id])
            if limit:
                leave_rate_limit(connection, as_text(limit), self.id)
        return bool(was_waiting)

    def stop(self) -> bool:
        """Ask the worker that runs the job to stop it, and return whether there is one. A stopped
        job has failed, whatever retries are left.
        """
        return stop(with_timeout(self._target.connection, ANSWER), self.id, JobServerError)

    def result(self, timeout: Timeout = 60) -> Any:
        """The return value of the task, or the value of its Skip; waits ``timeout`` at most.

        Raises JobFailedError with the task's error, JobExpiredError, JobUnknownError, and
        JobTimeoutError where the job has not ended in time; the job goes on. Raises
        WaitRefusedError inside the clock.
        """
        check_may_wait()
        end = time.monotonic() + parse_timeout(timeout)
        while True:
            last = self._last_result()
            status = self.status()
            if status in _ENDS:
                return self._ended(status)
            if status is Status.EXPIRED:
                raise JobExpiredError(f"{self.id} was not started in time, and will not be")
            if status is Status.UNKNOWN:
                raise JobUnknownError(
                    f"{self.id} is unknown: it never existed, or is no longer kept"
                )
            rest = end - time.monotonic()
            if rest <= 0:
                waited = f"not ended after {parse_timeout(timeout):g} s"
                raise JobTimeoutError(f"{self.id} has {waited}; it is {status}")
            self._wait(last, min(rest, LOOK_AGAIN))

    def _last_result(self) -> bytes | str:
        """The id of the latest result there is. What comes after it ends a wait."""
        connection = with_timeout(self._target.connection, ANSWER)
        with server_errors(connection, JobServerError):
            results = connection.xrevrange(rq_keys.results(self.id), count=1)
        return (results[0][0] if results else None) or "0-0"

    def _wait(self, last: bytes | str, rest: float) -> None:
        connection = with_timeout(self._target.connection, ANSWER)
        with server_errors(connection, JobServerError):
            connection.xread(
                {rq_keys.results(self.id): last}, count=1, block=max(1, int(rest * 1000))
            )

    def _ended(self, status: Status) -> Any:
        connection = with_timeout(self._target.connection, ANSWER)
        job = Job(self.id, connection=connection, serializer=self._target.serializer)
        try:
            with server_errors(connection, JobServerError):
                result = job.latest_result()
        except JobServerError:
            raise
        except Exception as error:  # a serializer may raise anything
            reason = f"cannot be read with this serializer: {type(error).__name__}: {error}"
            raise JobError(f"{self.id} has ended; its result {reason}") from error
        if status is not Status.FAILED:
            if result is None:
                raise JobUnknownError(f"{self.id} has ended; its result is no longer kept")
            return result.return_value
        reason = (result.exc_string if result is not None else None) or ""
        lines = reason.strip().splitlines() or ["it was stopped or cancelled, and left no error"]
        raise JobFailedError(lines[-1].strip(), reason)

    def _mark(self, meta: bytes | None) -> str:
        if not meta:
            return ""
        try:
            values = resolve_serializer(self._target.serializer).loads(meta)
            return str(values.get(keys.OUTCOME_META, {}).get("kind", ""))
        except Exception:  # a serializer may raise anything at the bytes of another
            return ""


def check_may_wait() -> None:
    """Raise WaitRefusedError where waiting would hold up the clock."""
    if is_inside_the_clock() or BUILDER.get() is not None:
        raise WaitRefusedError(
            "the clock must not wait for jobs, as everything else would be late; "
            "enqueue the job and let it enqueue what follows"
        )
