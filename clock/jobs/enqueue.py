"""Enqueueing jobs by the dotted names of their tasks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Unpack

from redis import Redis
from rq import get_current_job

from clock.connection.errors import may_have_run
from clock.errors import (
    EnqueueError,
    JobServerError,
    NotAQueueError,
    RequestChangedError,
    WaitRefusedError,
)
from clock.jobs import checks
from clock.jobs.handle import Handle, check_may_wait
from clock.jobs.new_job import new_job, not_enqueued, send, send_all
from clock.jobs.options import EnqueueOptions, read_options
from clock.jobs.request import Request
from clock.jobs.target import ANSWER, Target, find_target
from clock.recurrence.duration import Timeout
from clock.schedule.task import task_name

Task = str | Callable[..., Any]


def enqueue(task: Task, /, **options: Unpack[EnqueueOptions]) -> Handle:
    """Enqueue a job of ``task``, its dotted name, and return a handle on it at once.

    Every option is described in ``clock.jobs.options.TABLE``. Raises ValueError for
    an invalid one, SettingsError, and EnqueueError where the server has not taken the job
    by the ``deadline``; it is tried once.
    """
    name = task_name(task)
    checked = read_options(name, options)
    target = find_target(checked.connection)
    job = new_job(name, checked, target, time.time())
    try:
        (reply,) = send([job], target, checked.deadline)
    except JobServerError as error:
        lost = f"; if the reply was lost it was, so enqueue it again with id={job.id!r}"
        hint = lost if may_have_run(error) else ""
        raise not_enqueued(f"{name} was not enqueued", job, error, hint) from error
    if reply == "q":
        raise EnqueueError(f"{name} was not enqueued: {job.reason}", job.id)
    return _handle(reply, target)


def enqueue_many(
    jobs: Iterable[tuple[Task, EnqueueOptions]],
    /,
    *,
    deadline: Timeout = ANSWER,
    connection: Redis | None = None,
) -> list[Handle]:
    """Enqueue ``jobs``, each a task and its options, in one transaction; the handles on them are in
    their order. A job may depend on one before it.

    Raises as ``enqueue`` does, and then none of them is known to be enqueued; but where the key of
    a queue holds something else, the jobs of other queues are.
    """
    named = [(task_name(task), options) for task, options in jobs]
    if any(not options.keys().isdisjoint({"deadline", "connection"}) for _, options in named):
        raise ValueError("deadline= and connection= belong to the call, not to one of its jobs")
    checked = [(name, read_options(name, options)) for name, options in named]
    seconds = checks.deadline(deadline)
    target, now = find_target(connection), time.time()
    made = [new_job(name, options, target, now) for name, options in checked]
    replies = send_all(made, target, seconds)
    for job, reply in zip(made, replies, strict=True):
        if reply == "q":
            raise EnqueueError(f"{job.id} was not enqueued: {job.reason}", job.id)
    return [_handle(reply, target) for reply in replies]


def enqueue_request(
    target: Target,
    jobs: Sequence[tuple[str, EnqueueOptions]],
    *,
    deadline: float,
    now: float,
    request: Request | None = None,
) -> list[Handle]:
    """Enqueue the ``jobs`` of a request to ``target``, whatever the settings say, as
    ``enqueue_many`` does.

    ``now`` is UTC seconds since 1970. Raises RequestChangedError where the key of ``request`` came
    before with another one, with nothing enqueued; and NotAQueueError, with the others enqueued,
    where the key of a queue holds something else.
    """
    made = [new_job(name, read_options(name, job), target, now, request) for name, job in jobs]
    replies = send_all(made, target, deadline)
    if request is not None and "!" in replies:
        raise RequestChangedError(f"the key {request.key!r} was used for another request")
    for job, reply in zip(made, replies, strict=True):
        if reply == "q":
            raise NotAQueueError(f"{job.id} was not enqueued: {job.reason}")
    return [_handle(reply, target) for reply in replies]


def call(task: Task, /, *, wait: Timeout = 60, **options: Unpack[EnqueueOptions]) -> Any:
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


def _handle(reply: str, target: Target) -> Handle:
    return Handle(reply[1:], is_new=reply.startswith("+"), target=target)
