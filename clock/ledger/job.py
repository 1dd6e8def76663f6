"""The job of an occurrence: exactly the hash that ``Queue.enqueue`` of the installed RQ would
write.

RQ itself makes the hash, once an event; what differs from occurrence to occurrence is filled in.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from redis import Redis
from rq import Callback, Queue, Retry
from rq.job import Job
from rq.serializers import resolve_serializer
from rq.utils import utcformat

from clock.instant import utc_text
from clock.schedule.event import Callback as EventCallback
from clock.schedule.event import Event
from clock.schedule.event import Retry as EventRetry

_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9_-]+")


def job_id(app: str, event: str, scheduled: int) -> str:
    """The id of an occurrence's job: ``<event>-<10 hex digits>-<scheduled, UTC>``.

    RQ allows letters, digits, ``_`` and ``-``. The digits keep apart two applications on one
    server, and two events whose names differ only in what RQ does not allow. ``scheduled`` is UTC
    seconds since 1970.
    """
    readable = _NOT_IN_AN_ID.sub("-", event)[:80]
    digest = hashlib.blake2b(f"{app}\0{event}".encode(), digest_size=5).hexdigest()
    return f"{readable}-{digest}-{datetime.fromtimestamp(scheduled, UTC):%Y%m%dT%H%M%SZ}"


class JobTemplate:
    """An event's job, but for what belongs to one occurrence."""

    __slots__ = ("_event", "_fields", "_serializer", "at_front", "queue_key")

    def __init__(self, event: Event, *, serializer: str, connection: Redis) -> None:
        """Nothing is sent over ``connection``; RQ's classes cannot be made without one."""
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
            retry=_retry(options.retry),
            on_success=_callback(options.on_success),
            on_failure=_callback(options.on_failure),
        )
        self.queue_key = queue.key
        self.at_front = options.at_front
        self._event = event
        self._serializer = resolve_serializer(serializer)
        self._fields: Mapping[str, Any] = job.to_dict()

    def fields(self, scheduled: int, previous: int | None, now: float) -> dict[str, Any]:
        """The job's hash for one occurrence; all three are UTC seconds since 1970.

        ``previous`` is the occurrence fired before this one, or None. The ``ttl`` field is what
        remains of ``expires`` at ``now``, in whole seconds, at least 1.
        """
        enqueued = utcformat(datetime.fromtimestamp(now, UTC))
        occurrence = {
            "event": self._event.name,
            "scheduled_at": utc_text(scheduled),
            "previous_scheduled_at": None if previous is None else utc_text(previous),
            "enqueued_at": enqueued,
        }
        fields = {
            **self._fields,
            "created_at": enqueued,
            "enqueued_at": enqueued,
            "meta": self._serializer.dumps({**self._event.job.meta, "clock": occurrence}),
        }
        if self._event.job.expires is not None:
            fields["ttl"] = max(1, math.ceil(scheduled + self._event.job.expires - now))
        return fields


def job_key(identifier: str) -> str:
    """RQ's key of the job with this id."""
    return Job.key_for(identifier)


def _retry(retry: EventRetry | None) -> Retry | None:
    if retry is None:
        return None
    return Retry(retry.max, interval=list(retry.intervals), enqueue_at_front=retry.at_front)


def _callback(callback: EventCallback | None) -> Callback | None:
    return None if callback is None else Callback(callback.name, callback.timeout)
