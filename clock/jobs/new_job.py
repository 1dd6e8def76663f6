"""A job that is to be enqueued, as ``enqueue.lua`` takes it."""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rq import Queue
from rq.job import Job, JobStatus
from rq.utils import as_text

from clock import keys
from clock.connection import rq_keys
from clock.connection.client import with_deadline, with_timeout
from clock.connection.errors import server_errors
from clock.connection.scripts import script
from clock.errors import HOLDS_NO_QUEUE, EnqueueError, JobServerError
from clock.jobs.options import CheckedOptions
from clock.jobs.request import Request
from clock.jobs.rq_versions import fill_rate_limit_after
from clock.jobs.target import ANSWER, Target
from clock.jobs.unique import ENDLESS
from clock.ledger.job import job_meta, rq_callback, rq_retry
from clock.ledger.new_jobs import new_job_words
from clock.schedule.event import JobOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job with the keys and the arguments of the script. ``rate_limit`` is RQ's, or None."""

    id: str
    keys: list[str]
    arguments: list[Any]
    rate_limit: Any

    @property
    def reason(self) -> str:
        """Why a reply is ``q``."""
        return f"the key {self.keys[1]} {HOLDS_NO_QUEUE}"


def new_job(
    task: str, options: CheckedOptions, target: Target, now: float, request: Request | None = None
) -> NewJob:
    """A job of ``task``, part of ``request``; ``now`` is UTC seconds since 1970. Nothing is sent.

    Raises ValueError where the serializer does not take it.
    """
    due = _due(options, now)
    queue = Queue(options.queue, connection=target.connection, serializer=target.serializer)
    job = _job(task, options, queue, now, is_delayed=due is not None)
    names = [
        job.key,
        queue.key,
        rq_keys.QUEUES,
        rq_keys.registry("scheduled", queue.name),
        keys.expires(job.id),
        *([keys.unique(target.app, options.unique.digest)] if options.unique else []),
        *(map(Job.key_for, request.ids) if request else []),
    ]
    delay = 0 if due is None else due - now
    ttl, known_until = _expiry(options.job, delay)
    arguments = [
        job.id,
        "LPUSH" if options.job.at_front else "RPUSH",
        "-" if due is None else due,
        ttl,
        known_until,
        options.unique.kind if options.unique else "-",
        options.unique.lasts_for(delay) if options.unique else 0,
        str(request or "-"),
        *new_job_words(target.app, queue.name, now),
        *_fields(job),
        *((keys.REQUEST, str(request)) if request else ()),
    ]
    return NewJob(id=job.id, keys=names, arguments=arguments, rate_limit=options.rate_limit)


def send(jobs: Sequence[NewJob], target: Target, deadline: float) -> list[str]:
    """What the script returns of each of ``jobs``; several are enqueued in one transaction.

    Raises JobServerError where the server has not answered by the ``deadline`` (seconds).
    """
    original = target.connection
    # The connection for other questions will do; it spares the server one.
    usual = nullcontext(with_timeout(original, ANSWER)) if deadline == ANSWER else None
    with usual or with_deadline(original, deadline) as connection:
        call = connection.register_script(script("clock.jobs", "enqueue.lua"))
        limits = {job.rate_limit.key: job.rate_limit for job in jobs if job.rate_limit}
        with server_errors(connection, JobServerError):
            if len(jobs) == 1 and not limits:
                return [as_text(call(keys=jobs[0].keys, args=jobs[0].arguments))]
            with connection.pipeline(transaction=True) as pipe:
                for job in jobs:
                    call(keys=job.keys, args=job.arguments, client=pipe)
                for limit in limits.values():
                    fill_rate_limit_after(pipe, limit.key, limit.concurrency)
                return list(map(as_text, pipe.execute()[: len(jobs)]))


def send_all(jobs: Sequence[NewJob], target: Target, deadline: float) -> list[str]:
    """As ``send``, but raises EnqueueError; nothing is sent for no jobs."""
    try:
        return send(jobs, target, deadline) if jobs else []
    except JobServerError as error:
        raise not_enqueued("nothing is known to be enqueued", jobs[0], error) from error


def not_enqueued(what: str, job: NewJob, error: JobServerError, hint: str = "") -> EnqueueError:
    """The EnqueueError for the ``error`` of sending a job."""
    message = f"{what}: {error}{hint}"
    return EnqueueError(message, job.id, error.kind, is_lasting=error.is_lasting)


def _due(options: CheckedOptions, now: float) -> int | None:
    """When the job is to go to its queue, in UTC seconds since 1970; None for at once."""
    if options.at is not None and options.at.timestamp() > now:
        return math.ceil(options.at.timestamp())
    return None if options.delay is None else math.ceil(now + options.delay)


def _job(task: str, options: CheckedOptions, queue: Queue, now: float, *, is_delayed: bool) -> Job:
    """The job as ``Queue.enqueue`` makes it, or ``Queue.enqueue_at`` where it is delayed."""
    own, limit = options.job, options.rate_limit
    status = JobStatus.SCHEDULED if is_delayed else JobStatus.QUEUED
    job = queue.create_job(
        task,
        args=options.args,
        kwargs=dict(options.kwargs),
        timeout=own.timeout,
        result_ttl=own.result_ttl,
        ttl=own.expires,
        failure_ttl=own.failure_ttl,
        description=own.description,
        depends_on=options.depends_on,
        job_id=options.id or str(uuid.uuid4()),
        meta=job_meta(own),
        status=JobStatus.RATE_LIMITED if limit and not is_delayed else status,
        retry=rq_retry(own.retry),
        repeat=options.repeat,
        on_success=rq_callback(own.on_success),
        on_failure=rq_callback(own.on_failure),
        on_stopped=rq_callback(options.on_stopped),
        group_id=options.group,
        **({"rate_limit": limit} if limit else {}),
    )
    job.created_at = datetime.fromtimestamp(now, UTC)
    if job.get_status(refresh=False) == JobStatus.QUEUED:
        job.enqueued_at = job.created_at
    if own.at_front and (is_delayed or limit or options.depends_on):
        job.enqueue_at_front = True
    return job


def _fields(job: Job) -> list[Any]:
    try:
        return [part for field in job.to_dict().items() for part in field]
    except Exception as error:  # a serializer may raise anything
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(f"args=, kwargs= or meta= cannot be serialised: {reason}") from None


def _expiry(options: JobOptions, delay: float) -> tuple[int | str, int | str]:
    """In how many milliseconds the job expires, and for how many its absence means that it did.

    A job that was started is kept for its result's or its failure's TTL at least, counted from when
    it is due at the earliest. As long as that lasts, one that is gone was never started.
    """
    if options.expires is None:
        return "-", "-"
    kept = (options.result_ttl, options.failure_ttl)
    known_for = min(ENDLESS if ttl in {None, -1} else ttl for ttl in kept)
    known_until = math.ceil((delay + known_for) * 1000) if known_for > options.expires else "-"
    return math.ceil((delay + options.expires) * 1000), known_until
