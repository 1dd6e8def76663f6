"""What becomes of an abandoned job: put back by its own ``retry=``, or failed with a reason.

Everything about one job happens in one transaction, which fails where another worker was quicker or
the dead one came back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import WatchError
from rq import Queue
from rq.defaults import DEFAULT_FAILURE_TTL
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus
from rq.registry import ScheduledJobRegistry
from rq.results import Result
from rq.utils import utcformat

from clock import keys
from clock.connection import rq_keys
from clock.jobs.occurrence import occurrence_of
from clock.jobs.rq_versions import free_rate_limit
from clock.runs.counted import count_run
from clock.runs.records import write_run
from clock.runs.run import RunOutcome
from clock.worker.abandoned import Abandoned, is_still_abandoned
from clock.worker.failure_callbacks import enqueue_failure_callbacks
from clock.worker.lost import LostJob
from clock.worker.readable import fetch_job
from clock.worker.record import counted_of, run_of

DEATHS = 3
"""Workers that may die while they run a job; with the third one the job fails."""

_WAITING = {JobStatus.QUEUED, JobStatus.SCHEDULED, JobStatus.DEFERRED}


class RecoveryOutcome(StrEnum):
    """What became of an abandoned job."""

    PUT_BACK = "put back"
    FAILED = "failed"
    FORGOTTEN = "forgotten"
    """It had ended or waits already; only the trace of the execution went."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """An outcome and its reason, one sentence; ``deaths`` counts the workers that died with the
    job, and ``delay`` is in seconds.
    """

    outcome: RecoveryOutcome
    reason: str
    deaths: int = 0
    delay: int = 0


def recover(
    abandoned: Abandoned, connection: Redis, *, queue: Queue, app: str, now: datetime
) -> Recovery | None:
    """Decide over an abandoned job and do it; None where it was somebody else's by then.

    ``queue`` is where it ran. Raises whatever the client raises; then nothing was done.
    """
    with connection.pipeline() as pipeline:
        try:
            job_key = queue.job_class.key_for(abandoned.job)
            pipeline.watch(job_key, *abandoned.watched)  # type: ignore[no-untyped-call]
            if not is_still_abandoned(connection, abandoned, now.timestamp()):
                return None
            job = _fetched(abandoned, queue)
            recovery = decide(job, abandoned, connection)
            pipeline.multi()
            pipeline.zrem(abandoned.registry_key, abandoned.entry)
            pipeline.delete(abandoned.execution_key)
            pipeline.zrem(abandoned.executions_key, abandoned.execution)
            if abandoned.worker is not None:
                pipeline.srem(rq_keys.executions_of_worker(abandoned.worker), abandoned.entry)
            if job is not None and recovery.outcome is not RecoveryOutcome.FORGOTTEN:
                _act(recovery, job, abandoned, queue, pipeline, app, now)
            pipeline.execute()
        except WatchError:
            return None
    if job is not None and recovery.outcome is RecoveryOutcome.FAILED:
        queue.enqueue_dependents(job, refresh_job_status=False)
    if job is not None and (recovery.outcome is RecoveryOutcome.FAILED or recovery.delay):
        free_rate_limit(job)
    return recovery


def give_up_lost(lost: LostJob, *, queue: Queue, app: str, now: datetime) -> Recovery | None:
    """Fail a job that was lost too often; None where it is not what it was any more. Raises
    whatever the client raises; then nothing was done.
    """
    recovery = Recovery(
        outcome=RecoveryOutcome.FAILED,
        reason=f"given up: {lost.deaths} workers died while they took or ran it",
        deaths=lost.deaths,
    )
    connection = queue.connection
    with connection.pipeline() as pipeline:
        try:
            key = queue.job_class.key_for(lost.job)
            pipeline.watch(key, keys.lost())  # type: ignore[no-untyped-call]
            if not connection.hexists(keys.lost(), lost.job):
                return None
            job = fetch_job(lost.job, queue)
            pipeline.multi()
            _fail(recovery, job, pipeline, "", now)
            pipeline.hdel(keys.lost(), lost.job)
            counted = counted_of(
                job, RunOutcome.ABANDONED, of=occurrence_of(job), started=None, ended=now
            )
            count_run(pipeline, app, counted)
            enqueue_failure_callbacks(job, queue, pipeline, reason=recovery.reason, failed=True)
            pipeline.execute()
        except (NoSuchJobError, WatchError):
            return None
    queue.enqueue_dependents(job, refresh_job_status=False)
    free_rate_limit(job)
    return recovery


def decide(job: Job | None, abandoned: Abandoned, connection: Redis) -> Recovery:
    """What shall become of the job: its own ``retry=`` decides, up to ``DEATHS`` dead workers."""
    if job is None:
        return Recovery(outcome=RecoveryOutcome.FORGOTTEN, reason="the job is gone")
    status = job.get_status(refresh=False)
    if status in _WAITING and _waits(job, connection):
        return Recovery(outcome=RecoveryOutcome.FORGOTTEN, reason="the job waits already")
    if status not in _WAITING and status != JobStatus.STARTED:
        return Recovery(outcome=RecoveryOutcome.FORGOTTEN, reason=f"the job is {status.value}")
    deaths = int(connection.hget(job.key, keys.DEATHS) or 0) + 1
    died = f"its worker {abandoned.worker or job.worker_name or ''} died".replace("  ", " ")
    if deaths >= DEATHS:
        reason = f"given up: {deaths} workers died while they ran it"
        return Recovery(outcome=RecoveryOutcome.FAILED, reason=reason, deaths=deaths)
    if status in _WAITING:
        return Recovery(
            outcome=RecoveryOutcome.PUT_BACK, reason=f"{died} before it began", deaths=deaths
        )
    if not job.should_retry:
        reason = f"abandoned: {died}, and it has no retries left"
        return Recovery(outcome=RecoveryOutcome.FAILED, reason=reason, deaths=deaths)
    return Recovery(
        outcome=RecoveryOutcome.PUT_BACK, reason=died, deaths=deaths, delay=job.get_retry_interval()
    )


def put_back(job: Job, queue: Queue, pipeline: Pipeline, *, now: datetime, delay: int = 0) -> None:
    """Let a job wait again: on its queue or, with a ``delay`` in seconds, in the registry that a
    worker moves it from. Only what changes is written.
    """
    status = JobStatus.SCHEDULED if delay else JobStatus.QUEUED
    pipeline.hset(job.key, mapping={"status": status.value, "enqueued_at": utcformat(now)})
    if job.ttl:
        job.cleanup(ttl=job.ttl, pipeline=pipeline)
    pipeline.sadd(queue.redis_queues_keys, queue.key)
    if delay:
        at = int((now + timedelta(seconds=delay)).timestamp())
        pipeline.zadd(scheduled_key(queue), {job.id: at})
    else:
        queue.push_job_id(job.id, pipeline=pipeline, at_front=_at_front(job))


def _at_front(job: Job) -> bool:
    # RQ before 2.7 has no such choice.
    return getattr(job, "enqueue_at_front_on_retry", False)


def _act(
    recovery: Recovery,
    job: Job,
    abandoned: Abandoned,
    queue: Queue,
    pipeline: Pipeline,
    app: str,
    now: datetime,
) -> None:
    run = run_of(
        job,
        RunOutcome.ABANDONED,
        started=job.started_at,
        ended=now,
        worker=abandoned.worker or job.worker_name or "",
    )
    if run is not None:
        write_run(pipeline, app, run)
    counted = counted_of(job, RunOutcome.ABANDONED, of=run, started=job.started_at, ended=now)
    count_run(pipeline, app, counted)
    pipeline.hset(job.key, keys.OVERTAKEN, abandoned.execution)
    if recovery.outcome is RecoveryOutcome.PUT_BACK:
        pipeline.hset(job.key, keys.DEATHS, str(recovery.deaths))
        if job.get_status(refresh=False) == JobStatus.STARTED:
            pipeline.hincrby(job.key, "retries_left", -1)
            pipeline.hincrby(job.key, "number_of_retries", 1)
        put_back(job, queue, pipeline, now=now, delay=recovery.delay)
    else:
        _fail(recovery, job, pipeline, abandoned.worker or "", now)
    enqueue_failure_callbacks(
        job,
        queue,
        pipeline,
        reason=recovery.reason,
        failed=recovery.outcome is RecoveryOutcome.FAILED,
    )


def _fail(recovery: Recovery, job: Job, pipeline: Pipeline, worker: str, now: datetime) -> None:
    # Whoever requeues it by hand begins to count anew.
    pipeline.hdel(job.key, keys.DEATHS)
    job.ended_at = now
    job.set_status(JobStatus.FAILED, pipeline=pipeline)
    ttl = DEFAULT_FAILURE_TTL if job.failure_ttl is None else job.failure_ttl
    job.failed_job_registry.add(job, ttl=ttl, exc_string=recovery.reason, pipeline=pipeline)
    Result.create_failure(
        job,
        ttl,
        exc_string=recovery.reason,
        worker_name=worker,
        pipeline=pipeline,
    )


def _fetched(abandoned: Abandoned, queue: Queue) -> Job | None:
    try:
        return fetch_job(abandoned.job, queue)
    except NoSuchJobError:
        return None


def _waits(job: Job, connection: Redis) -> bool:
    """Whether the job is where one that waits belongs. One that was taken from its queue by a
    worker that died at once is not.
    """
    queue = Queue(job.origin, connection=connection)
    if connection.zscore(scheduled_key(queue), job.id) is not None:
        return True
    return connection.lpos(queue.key, job.id) is not None


def scheduled_key(queue: Queue) -> str:
    """RQ's set of the jobs that wait for a time, not for a worker."""
    return ScheduledJobRegistry.key_template.format(queue.name)


def utc(now: float) -> datetime:
    """UTC seconds since 1970 as RQ takes instants."""
    return datetime.fromtimestamp(now, UTC)
