"""The template of an event's jobs: the hash that ``Queue.enqueue`` of the installed RQ would write.

RQ itself makes it, and ``job.lua`` fills in what differs from occurrence to occurrence. ``meta`` is
serialised with placeholders for the instants of an occurrence, as long as these, and cut there: the
script puts it together without knowing the serializer. What many events share is a shape, made and
sent once for all of them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from redis import Redis
from rq import Callback, Queue, Retry
from rq.job import Job
from rq.serializers import resolve_serializer

from clock import keys
from clock.connection import rq_keys
from clock.errors import SettingsError
from clock.schedule.event import Callback as EventCallback
from clock.schedule.event import Event, JobOptions, Policy, RetryPolicy

_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9_-]+")
_OWN = frozenset({"created_at", "enqueued_at", "meta", "data", "description"})
"""The fields of a job that differ between the occurrences and the events of a shape."""

SCHEDULED, PREVIOUS = "0001-02-03T04:05:06Z", "0006-05-04T03:02:01Z"
ENQUEUED = "0007-08-09T10:11:12.131415Z"
"""Placeholders for the instants of an occurrence, each as long as an instant."""

_FIRST = re.compile(re.escape(f"{SCHEDULED}|{ENQUEUED}").replace(r"\|", "|").encode())
_LATER = re.compile(re.escape(f"{SCHEDULED}|{PREVIOUS}|{ENQUEUED}").replace(r"\|", "|").encode())


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
    return job_prefix(app, event) + _stamp(scheduled)


@lru_cache(maxsize=256)
def _stamp(scheduled: int) -> str:
    return f"{datetime.fromtimestamp(scheduled, UTC):%Y%m%dT%H%M%SZ}"


class Shape(NamedTuple):
    """What the jobs of many events have in common; ``digest`` is its name.

    ``first`` and ``later`` are the parts of ``meta`` behind the scheduled instant: around the
    enqueued one for the first job of all, around the previous and the enqueued one for every other.
    ``expires`` and ``stuck_after`` are seconds.
    """

    digest: str
    queue_key: str
    side: str
    expires: int | None
    overlap: str
    stuck_after: int
    serializer: str
    fields: Mapping[str, Any]
    first: Sequence[bytes]
    later: Sequence[bytes]

    @property
    def queue(self) -> str:
        """The name of the queue."""
        return self.queue_key[len(rq_keys.QUEUE) :]

    def arguments(self) -> Sequence[Any]:
        """What ``read_shape`` of ``job.lua`` reads."""
        return (
            self.digest,
            self.queue_key,
            self.side,
            "-" if self.expires is None else self.expires,
            self.overlap,
            self.stuck_after,
            self.serializer,
            *self.first,
            *self.later,
            2 * len(self.fields),
            *(part for field in self.fields.items() for part in field),
        )


class JobTemplate(NamedTuple):
    """What an event's jobs have in common.

    ``first`` and ``later`` are what the meta of its first job and of every other begins with, up to
    the scheduled instant.
    """

    shape: Shape
    data: bytes
    description: str
    first: bytes
    later: bytes

    def arguments(self, prefix: str) -> Sequence[Any]:
        """What the scripts read of it, without its shape; ``prefix`` is that of the job ids."""
        return prefix, *self.parts()

    def parts(self) -> Sequence[Any]:
        """What tells its jobs from those of other events of its shape."""
        return self.data, self.description, self.first, self.later


class Model(NamedTuple):
    """A job made by RQ with some options, which is changed into that of one event after another."""

    options: JobOptions
    job: Job
    shapes: dict[tuple[object, ...], Shape]


class JobTemplates:
    """Makes the templates of events; ``mark`` is set in ``meta["clock"]`` of their jobs.

    Nothing is sent; RQ's classes cannot be made unconnected.
    """

    def __init__(self, connection: Redis, serializer: str, mark: str | None = None) -> None:
        self._connection = connection
        self._serializer = serializer
        self._mark = mark
        self._dumps = resolve_serializer(serializer).dumps
        self._models: dict[int, Model] = {}

    def of(self, event: Event) -> JobTemplate:
        """The template of an event's jobs.

        Raises SettingsError where the strings it is given are not in the serializer's output.
        """
        model = self._model(event.job)
        job = model.job
        # To change a job takes a fifth of the time of making one; only what is set here differs.
        job.func_name, job.args, job.kwargs = event.task, event.args, dict(event.kwargs)
        if event.job.description is None:
            job.description = job.get_call_string()
        fields = job.to_dict()
        meta = job_meta(event.job)
        try:
            (first, *first_parts), (later, *later_parts) = (
                cut_meta(self._dumps, meta, event.name, is_first=is_first, mark=self._mark)
                for is_first in (True, False)
            )
        except ValueError:
            raise SettingsError(
                f"the serializer {self._serializer!r} hides what it is given; use another"
            ) from None
        return JobTemplate(
            shape=self._shape(model, event.policy, fields, first_parts, later_parts),
            data=fields["data"],
            description=fields["description"],
            first=first,
            later=later,
        )

    def _model(self, options: JobOptions) -> Model:
        # By identity: many events share options, the model keeps them, and hashing them is slow.
        model = self._models.get(id(options))
        if model is None:
            queue = Queue(options.queue, connection=self._connection, serializer=self._serializer)
            job = queue.create_job(
                "",
                timeout=options.timeout,
                result_ttl=options.result_ttl,
                failure_ttl=options.failure_ttl,
                description=options.description or "",
                retry=rq_retry(options.retry),
                on_success=rq_callback(options.on_success),
                on_failure=rq_callback(options.on_failure),
            )
            model = self._models[id(options)] = Model(options, job, {})
        return model

    def _shape(
        self,
        model: Model,
        policy: Policy,
        fields: Mapping[str, Any],
        first: Sequence[bytes],
        later: Sequence[bytes],
    ) -> Shape:
        options = model.options
        key = (policy.overlap, policy.stuck_after, *first, *later)
        if key not in model.shapes:
            shared = {name: value for name, value in fields.items() if name not in _OWN}
            parts: dict[str, Any] = {
                "queue_key": rq_keys.QUEUE + options.queue,
                "side": "LPUSH" if options.at_front else "RPUSH",
                "expires": options.expires,
                "overlap": policy.overlap,
                "stuck_after": policy.stuck_after,
                "serializer": self._serializer,
                "fields": shared,
                "first": first,
                "later": later,
            }
            digest = hashlib.blake2b(repr(parts).encode(), digest_size=6).hexdigest()
            model.shapes[key] = Shape(digest=digest, **parts)
        return model.shapes[key]


def job_meta(options: JobOptions) -> dict[str, Any]:
    """A job's ``meta`` without its occurrence."""
    limit = options.max_running
    return {**options.meta, **({} if limit is None else {"max_running": limit})}


def cut_meta(
    dumps: Callable[[Any], bytes],
    meta: Mapping[str, Any],
    event: str,
    *,
    is_first: bool,
    mark: str | None = None,
) -> list[bytes]:
    """``meta`` with that of an occurrence of ``event``, serialised, and cut where its instants go.

    The first occurrence of all has no previous one. ``mark`` is set in ``meta["clock"]``. Raises
    ValueError where the instants are not in what ``dumps`` returns.
    """
    occurrence: dict[str, Any] = {
        "event": event,
        "scheduled_at": SCHEDULED,
        "previous_scheduled_at": None if is_first else PREVIOUS,
        "enqueued_at": ENQUEUED,
    }
    if mark is not None:
        occurrence[mark] = True
    instants = _FIRST if is_first else _LATER
    parts = instants.split(dumps({**meta, keys.OCCURRENCE_META: occurrence}))
    if len(parts) != instants.pattern.count(b"|") + 2:
        raise ValueError("the instants are not in the serialised meta")
    return parts


def join_meta(later: Sequence[bytes]) -> bytes:
    """The meta of a later occurrence from its parts, with placeholders for its instants."""
    ends = [SCHEDULED.encode(), PREVIOUS.encode(), ENQUEUED.encode(), b""]
    return b"".join(part + end for part, end in zip(later, ends, strict=True))


def rq_retry(retry: RetryPolicy | None) -> Retry | None:
    """The retries as RQ takes them."""
    if retry is None:
        return None
    return Retry(retry.max, interval=list(retry.intervals), enqueue_at_front=retry.at_front)


def rq_callback(callback: EventCallback | None) -> Callback | None:
    """The function to call at a job's end as RQ takes it."""
    return None if callback is None else Callback(callback.name, callback.timeout)
