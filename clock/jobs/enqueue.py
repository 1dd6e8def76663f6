"""Enqueueing a job by the dotted name of its task."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Unpack

from redis import Redis
from rq import Queue, get_current_job
from rq.job import Job, JobStatus
from rq.utils import as_text

from clock import keys
from clock.connection import rq_keys
from clock.connection.client import with_deadline, with_timeout
from clock.connection.errors import may_have_run, server_errors
from clock.connection.scripts import script
from clock.errors import (
    HOLDS_NO_QUEUE,
    EnqueueError,
    JobServerError,
    NotAQueueError,
    RequestChangedError,
    WaitRefusedError,
)
from clock.jobs.handle import Handle, check_may_wait
from clock.jobs.options import ENDLESS, CheckedOptions, EnqueueOptions, read_options
from clock.jobs.target import Target, find_target
from clock.ledger.job import job_meta, rq_callback, rq_retry
from clock.recurrence.duration import Timeout
from clock.schedule.event import JobOptions
from clock.schedule.task import task_name


def enqueue(task: str | Callable[..., Any], /, **options: Unpack[EnqueueOptions]) -> Handle:
    """Enqueue a job of ``task``, its dotted name, and return a handle on it at once.

    Every option is described in ``clock.jobs.options.TABLE``. Raises ValueError for
    an invalid one, SettingsError, and EnqueueError where the server has not taken the job
    by the ``deadline``; it is tried once.
    """
    name = task_name(task)
    checked = read_options(name, options)
    target = find_target(checked.connection)
    sent = _send(name, checked, target, time.time())
    return Handle(sent[1:], is_new=sent.startswith("+"), target=target)


def call(
    task: str | Callable[..., Any], /, *, wait: Timeout = 60, **options: Unpack[EnqueueOptions]
) -> Any:
    """Enqueue a job of ``task``, wait for it, and return what it returned.

    Raises what ``enqueue`` and ``Handle.result`` raise. Raises WaitRefusedError inside the clock,
    which would be late with everything else, and inside a job: a job that waits keeps its worker
    from the very job it waits for.
    """
    check_may_wait()
    if get_current_job() is not None:
        raise WaitRefusedError(
            "a job must not wait for another, as no worker may be left to run it; "
            "enqueue the other, and let it enqueue what follows"
        )
    return enqueue(task, **options).result(wait)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request for jobs under a key: repeated, it enqueues them once; another one with its key
    enqueues nothing. ``ids`` are those of all jobs by which an earlier request is recognised.
    """

    key: str
    digest: str
    ids: Sequence[str]

    def __str__(self) -> str:
        return f"{self.key} {self.digest}"


def enqueue_many(
    target: Target,
    jobs: Sequence[tuple[str, EnqueueOptions]],
    *,
    deadline: float,
    now: float,
    request: Request | None = None,
) -> list[Handle]:
    """Enqueue the ``jobs``, each the dotted name of its task and its options, all in one
    transaction; the handles on them are in their order.

    They go to ``target``, whatever the settings say. ``now`` is UTC seconds since 1970. Raises
    ValueError for an option that makes no sense, and RequestChangedError where the key of
    ``request`` came before with another one, with nothing enqueued. Raises EnqueueError where
    the server has not taken them by the ``deadline`` (seconds); and NotAQueueError, with the others
    enqueued, where the key of a queue holds something else.
    """
    connection = with_timeout(target.connection, deadline)
    made = [
        _made(name, read_options(name, options), connection, target, now, request)
        for name, options in jobs
    ]
    call = connection.register_script(script("clock.jobs", "enqueue.lua"))
    try:
        with (
            server_errors(connection, JobServerError),
            connection.pipeline(transaction=True) as pipe,
        ):
            for job in made:
                call(keys=job.keys, args=job.arguments, client=pipe)
            replies = [as_text(reply) for reply in pipe.execute()]
    except JobServerError as error:
        message = f"nothing is known to be enqueued: {error}"
        raise _not_enqueued(message, made[0].id, error) from error
    if request is not None and "!" in replies:
        raise RequestChangedError(f"the key {request.key!r} was used for another request")
    for job, reply in zip(made, replies, strict=True):
        if reply == "q":
            raise NotAQueueError(
                f"{job.id} was not enqueued: the key {job.keys[1]} {HOLDS_NO_QUEUE}"
            )
    return [Handle(reply[1:], is_new=reply.startswith("+"), target=target) for reply in replies]


def _send(name: str, checked: CheckedOptions, target: Target, now: float) -> str:
    """Send the job once; returns what the script returned."""
    connection = with_timeout(target.connection, checked.deadline)
    made = _made(name, checked, connection, target, now)
    call = connection.register_script(script("clock.jobs", "enqueue.lua"))
    try:
        with server_errors(connection, JobServerError):
            reply = as_text(call(keys=made.keys, args=made.arguments))
    except JobServerError as error:
        message = f"{name} was not enqueued: {error}"
        if may_have_run(error):
            message += f"; if the reply was lost it was, so enqueue it again with id={made.id!r}"
        raise _not_enqueued(message, made.id, error) from error
    if reply == "q":
        raise EnqueueError(_refused(name, made), made.id)
    return reply


@dataclass(frozen=True, slots=True)
class _Made:
    """A job as the script takes it."""

    id: str
    keys: list[str]
    arguments: list[Any]


def _made(
    name: str,
    checked: CheckedOptions,
    connection: Redis,
    target: Target,
    now: float,
    request: Request | None = None,
) -> _Made:
    queue = Queue(checked.queue, connection=connection, serializer=target.serializer)
    job = _job(name, checked, queue, now)
    names = [
        job.key,
        queue.key,
        rq_keys.QUEUES,
        rq_keys.registry("scheduled", queue.name),
        keys.expires(job.id),
        *([keys.unique(target.app, checked.unique.digest)] if checked.unique else []),
        *(map(Job.key_for, request.ids) if request else []),
    ]
    return _Made(job.id, names, _arguments(job, checked, now, request))


def _arguments(job: Job, checked: CheckedOptions, now: float, request: Request | None) -> list[Any]:
    """The arguments of ``enqueue.lua``, described there."""
    due = None if checked.delay is None else math.ceil(now + checked.delay)
    ttl, known_until = _expiry(checked.job, 0 if due is None else due - now)
    return [
        job.id,
        "LPUSH" if checked.job.at_front else "RPUSH",
        "-" if due is None else due,
        ttl,
        known_until,
        checked.unique.kind if checked.unique else "-",
        checked.unique.lasts * 1000 if checked.unique else 0,
        str(request or "-"),
        *_fields(job),
        *((keys.REQUEST, str(request)) if request else ()),
    ]


def _job(name: str, checked: CheckedOptions, queue: Queue, now: float) -> Job:
    """The job as ``Queue.enqueue`` makes it, or ``Queue.enqueue_in`` where it is delayed."""
    options = checked.job
    job = queue.create_job(
        name,
        args=checked.args,
        kwargs=dict(checked.kwargs),
        timeout=options.timeout,
        result_ttl=options.result_ttl,
        ttl=options.expires,
        failure_ttl=options.failure_ttl,
        description=options.description,
        job_id=checked.id or str(uuid.uuid4()),
        meta=job_meta(options),
        status=JobStatus.QUEUED if checked.delay is None else JobStatus.SCHEDULED,
        retry=rq_retry(options.retry),
        on_success=rq_callback(options.on_success),
        on_failure=rq_callback(options.on_failure),
    )
    job.created_at = datetime.fromtimestamp(now, UTC)
    if checked.delay is None:
        job.enqueued_at = job.created_at
    elif options.at_front:
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


def _not_enqueued(message: str, job_id: str, error: JobServerError) -> EnqueueError:
    return EnqueueError(message, job_id, error.kind, is_lasting=error.is_lasting)


def _refused(what: str, made: _Made) -> str:
    return f"{what} was not enqueued: the key {made.keys[1]} {HOLDS_NO_QUEUE}"
