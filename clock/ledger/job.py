"""The job of an event: exactly the hash that ``Queue.enqueue`` of the installed RQ would write.

RQ itself makes the hash, once an event; what differs from occurrence to occurrence is filled in by
the claim. ``meta`` is made with stand-ins of the right length where the instants of an occurrence
go, and cut there, so that it can be put together again without knowing the serializer.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis import Redis
from rq import Callback, Queue, Retry
from rq.serializers import resolve_serializer

from clock.errors import SettingsError
from clock.schedule.event import Callback as EventCallback
from clock.schedule.event import Event, JobOptions
from clock.schedule.event import Retry as EventRetry

_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9_-]+")
_FILLED_IN = ("created_at", "enqueued_at")

SCHEDULED, PREVIOUS = "0001-02-03T04:05:06Z", "0006-05-04T03:02:01Z"
ENQUEUED = "0007-08-09T10:11:12.131415Z"
"""Stand-ins for the instants of an occurrence, each as long as what it stands for."""


def job_prefix(app: str, event: str) -> str:
    """What the ids of an event's jobs begin with: ``<event>-<10 hex digits>-``.

    RQ allows letters, digits, ``_`` and ``-``. The digits keep apart two applications on one
    server, and two events whose names differ only in what RQ does not allow.
    """
    readable = _NOT_IN_AN_ID.sub("-", event)[:80]
    digest = hashlib.blake2b(f"{app}\0{event}".encode(), digest_size=5).hexdigest()
    return f"{readable}-{digest}-"


def job_id(app: str, event: str, scheduled: int) -> str:
    """The id of an occurrence's job; ``scheduled`` is UTC seconds since 1970."""
    return f"{job_prefix(app, event)}{datetime.fromtimestamp(scheduled, UTC):%Y%m%dT%H%M%SZ}"


@dataclass(frozen=True, slots=True)
class JobTemplate:
    """An event's job, but for what one occurrence adds.

    ``first`` and ``later`` are the parts of ``meta`` around the instants: scheduled and enqueued
    for the first occurrence of all, scheduled, previous and enqueued for every other.
    """

    queue_key: str
    fields: Mapping[str, Any]
    first: Sequence[bytes]
    later: Sequence[bytes]


def job_template(event: Event, *, serializer: str, connection: Redis) -> JobTemplate:
    """The template of an event's jobs. Nothing is sent; RQ's classes cannot be made unconnected.

    Raises SettingsError where the serializer hides the texts it is given.
    """
    options = event.job
    queue = Queue(options.queue, connection=connection, serializer=serializer)
    job = queue.create_job(
        event.task,
        args=event.args,
        kwargs=dict(event.kwargs),
        timeout=options.timeout,
        result_ttl=options.result_ttl,
        failure_ttl=options.failure_ttl,
        description=options.description,
        retry=rq_retry(options.retry),
        on_success=rq_callback(options.on_success),
        on_failure=rq_callback(options.on_failure),
    )
    fields = {field: value for field, value in job.to_dict().items() if field not in _FILLED_IN}
    return JobTemplate(
        queue.key,
        fields,
        _parts(event, serializer, None, (SCHEDULED, ENQUEUED)),
        _parts(event, serializer, PREVIOUS, (SCHEDULED, PREVIOUS, ENQUEUED)),
    )


def job_meta(options: JobOptions) -> dict[str, Any]:
    """What a job's ``meta`` says at its beginning, its occurrence apart."""
    limit = options.max_running
    return {**options.meta, **({} if limit is None else {"max_running": limit})}


def occurrence_meta(
    event: str, *, scheduled: str, previous: str | None, enqueued: str
) -> dict[str, Any]:
    """What a job's ``meta["clock"]`` says; the instants are in ISO 8601 with a Z."""
    return {
        "event": event,
        "scheduled_at": scheduled,
        "previous_scheduled_at": previous,
        "enqueued_at": enqueued,
    }


def _parts(
    event: Event, serializer: str, previous: str | None, stand_ins: Sequence[str]
) -> Sequence[bytes]:
    meta = {
        **job_meta(event.job),
        "clock": occurrence_meta(
            event.name, scheduled=SCHEDULED, previous=previous, enqueued=ENQUEUED
        ),
    }
    dumped = resolve_serializer(serializer).dumps(meta)
    parts = re.split(b"|".join(re.escape(each.encode()) for each in stand_ins), bytes(dumped))
    if len(parts) != len(stand_ins) + 1:
        raise SettingsError(f"the serializer {serializer!r} hides what it is given; use another")
    return parts


def rq_retry(retry: EventRetry | None) -> Retry | None:
    """What RQ is told about retries."""
    if retry is None:
        return None
    return Retry(retry.max, interval=list(retry.intervals), enqueue_at_front=retry.at_front)


def rq_callback(callback: EventCallback | None) -> Callback | None:
    """What RQ is told about a function to call at a job's end."""
    return None if callback is None else Callback(callback.name, callback.timeout)
