"""The look for abandoned jobs, on every queue there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from redis import Redis
from redis.exceptions import ConnectionError, TimeoutError, WatchError
from rq import Queue
from rq.intermediate_queue import IntermediateQueue
from rq.job import JobStatus

from clock import log
from clock.worker.abandoned import Abandoned, find_abandoned
from clock.worker.lost import AFTER, put_back_lost
from clock.worker.recovery import (
    DEATHS,
    Recovery,
    RecoveryOutcome,
    give_up_lost,
    put_back,
    recover,
    utc,
)

_ENDED = {JobStatus.FINISHED, JobStatus.FAILED, JobStatus.STOPPED, JobStatus.CANCELED}


class Reaper:
    """One worker's look for jobs of workers that died. Any worker may look, and at the same time:
    a transaction lets one of them deal with a job.
    """

    def __init__(
        self,
        connection: Redis,
        queues: Iterable[Queue],
        *,
        app: str,
    ) -> None:
        """``queues`` are the worker's own."""
        self._connection = connection
        self._own = list(queues)
        self._app = app
        self._in_trouble: set[str] = set()

    def look(self, now: float) -> None:
        """Deal with every abandoned job; ``now`` is UTC seconds since 1970. Raises what the client
        raises where the server is away; the next look goes on from there.
        """
        executions = find_abandoned(self._connection, self._names(), now)
        self._in_trouble &= {abandoned.entry for abandoned in executions}
        for abandoned in executions:
            with self._errors_of(abandoned):
                self._deal_with(abandoned, now)
        for name in self._names():
            self._look_between(self._queue(name), now)
        self._look_for_lost(now)

    def _deal_with(self, abandoned: Abandoned, now: float) -> None:
        queue = self._queue(abandoned.queue)
        key = queue.job_class.key_for(abandoned.job)
        if abandoned.queue not in self._names() and not self._connection.exists(key):
            # Its workers may have jobs of another class, whose keys are others.
            return
        recovery = recover(abandoned, self._connection, queue=queue, app=self._app, now=utc(now))
        if recovery is not None:
            self._log(recovery, abandoned.job, abandoned.queue)

    @contextmanager
    def _errors_of(self, abandoned: Abandoned) -> Iterator[None]:
        """A job that cannot be dealt with is logged once, and left; the others go on."""
        try:
            yield
        except (ConnectionError, TimeoutError):
            raise
        except Exception as error:  # the job may be anybody's writing
            if abandoned.entry not in self._in_trouble:
                self._in_trouble.add(abandoned.entry)
                reason = (
                    f"it is abandoned, and cannot be dealt with: {type(error).__name__}: {error}"
                )
                log.error("trouble", job=abandoned.job, reason=reason)

    def _look_between(self, queue: Queue, now: float) -> None:
        """Put back what a worker took from its only queue, and died before it began: RQ keeps such
        jobs on a list beside the queue, and judges them after a minute.
        """
        between = IntermediateQueue(queue.key, self._connection)
        for identifier in between.get_job_ids():
            job = queue.fetch_job(identifier)
            if job is None or job.get_status(refresh=False) in _ENDED:
                between.remove(identifier)
                self._connection.delete(between.get_first_seen_key(identifier))
            elif identifier in queue.started_job_registry or between.set_first_seen(identifier):
                continue
            elif between.should_be_cleaned_up(identifier):
                with self._connection.pipeline() as pipeline:
                    try:
                        pipeline.watch(between.key, job.key)  # type: ignore[no-untyped-call]
                        if self._connection.lpos(between.key, identifier) is None:
                            continue
                        pipeline.multi()
                        pipeline.lrem(between.key, 1, identifier)
                        pipeline.delete(between.get_first_seen_key(identifier))
                        put_back(job, queue, pipeline, now=utc(now))
                        pipeline.execute()
                    except WatchError:
                        continue
                reason = "a worker took it from its queue and died before it began"
                self._log(
                    Recovery(outcome=RecoveryOutcome.PUT_BACK, reason=reason),
                    identifier,
                    queue.name,
                )

    def _look_for_lost(self, now: float) -> None:
        """Put back what is queued and on no queue."""
        prefix = self._own[0].job_class.redis_job_namespace_prefix
        for lost in put_back_lost(self._connection, job_prefix=prefix, most_deaths=DEATHS):
            recovery: Recovery | None = Recovery(
                outcome=RecoveryOutcome.PUT_BACK,
                reason=f"it was queued, and for {AFTER} seconds on no queue",
                deaths=lost.deaths,
            )
            if lost.deaths >= DEATHS:
                recovery = give_up_lost(
                    lost, queue=self._queue(lost.queue), app=self._app, now=utc(now)
                )
            if recovery is not None:
                self._log(recovery, lost.job, lost.queue)

    def _names(self) -> list[str]:
        return [queue.name for queue in self._own]

    def _queue(self, name: str) -> Queue:
        own = self._own[0]
        return type(own)(
            name,
            connection=self._connection,
            job_class=own.job_class,
            serializer=own.serializer,
        )

    def _log(self, recovery: Recovery, job: str, queue: str) -> None:
        if recovery.outcome is RecoveryOutcome.FORGOTTEN:
            return
        fields = {
            "job": job,
            "queue": queue,
            "fate": recovery.outcome.value,
            "reason": recovery.reason,
            "deaths": recovery.deaths or None,
            "delay": recovery.delay or None,
        }
        log.warning("abandoned", **fields)
