"""A job as it is stored: read from its hash, and compared with it when the job has ended."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from redis import Redis
from rq.job import Job
from rq.utils import as_text, str_to_date

_INSTANTS = (b"created_at", b"enqueued_at", b"started_at", b"ended_at", b"last_heartbeat")

_OWN = {b"data", b"meta", b"description", *_INSTANTS}
"""Fields that differ from job to job of one task; most others are the same."""

_RARE = (b"result", b"exc_info", b"webhooks")
"""Fields of which a job that waits seldom has one, and RQ makes objects of its own."""

_NEUTRAL = dict.fromkeys(
    (
        *("_status", "started_at", "ended_at", "last_heartbeat", "worker_name", "perform", "meta"),
        *("_result", "_func_name", "_instance", "_args", "_kwargs", "redis_server_version"),
    )
)
"""Attributes that a run changes, and that are written apart, or that RQ reads from others."""

_WRITTEN = {"status", "started_at", "ended_at", "last_heartbeat", "worker_name"}
"""Fields of a job that a run writes."""

_SHAPES: dict[Any, tuple[dict[str, Any], list[str]]] = {}
"""The attributes that RQ gave to a job, and the names of those that may be changed in place, by the
fields that it read them from: RQ takes longer to read a job than all else takes."""

_SHAPES_KEPT = 256


class JobHash:
    """The hash of a ``job``, and its attributes before it ran."""

    def __init__(
        self,
        kind: type[Job],
        identifier: str,
        fields: Mapping[bytes, bytes],
        *,
        connection: Redis,
        serializer: Any,
    ) -> None:
        """``fields`` are read into a job of this ``kind``; the ``serializer`` is None for RQ's own.
        Raises whatever RQ raises for a hash that it cannot read.
        """
        self._fields = fields
        self.job = _read(kind, identifier, fields, connection, serializer)
        self._before = {**vars(self.job), **_NEUTRAL}

    def changes(self) -> list[Any]:
        """The fields of the hash that are to be written when the job has ended, each before its
        value: what its end is, and what the task has changed. The step that took the job has
        written when it began, and where.
        """
        job = self.job
        if {**vars(job), **_NEUTRAL} == self._before:
            assert job.ended_at is not None
            ended = as_rq_writes(job.ended_at)
            return ["status", job._status.value, "ended_at", ended, "last_heartbeat", ended]
        changed: list[Any] = []
        for name, value in job.to_dict(include_meta=False, include_result=False).items():
            stored = value if isinstance(value, bytes) else str(value).encode()
            if name in _WRITTEN or self._fields.get(name.encode()) != stored:
                changed += (name, value)
        return changed


def as_rq_writes(instant: datetime) -> str:
    """An aware datetime as RQ writes it; faster than its strftime."""
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    return instant.isoformat(timespec="microseconds")[:26] + "Z"


def _read(
    kind: type[Job],
    identifier: str,
    fields: Mapping[bytes, bytes],
    connection: Redis,
    serializer: Any,
) -> Job:
    is_rq_s = kind.restore is Job.restore and kind.__init__ is Job.__init__
    if not is_rq_s or any(name in fields for name in _RARE) or not fields.get(b"created_at"):
        return _read_by_rq(kind, identifier, fields, connection, serializer)
    key = (kind, id(serializer), *[item for item in fields.items() if item[0] not in _OWN])
    shape = _SHAPES.get(key)
    if shape is None:
        job = _read_by_rq(kind, identifier, fields, connection, serializer)
        _remember(key, job)
        return job
    attributes, changeable = shape
    own = attributes.copy()
    for name in changeable:
        own[name] = own[name].copy()
    meta, description = fields.get(b"meta"), fields.get(b"description")
    try:
        own["meta"] = own["serializer"].loads(meta) if meta else {}
    except Exception:  # whatever a serializer raises
        return _read_by_rq(kind, identifier, fields, connection, serializer)
    own["connection"], own["_id"] = connection, identifier
    own["_data"] = data = fields[b"data"]
    with suppress(zlib.error):  # not compressed
        own["_data"] = zlib.decompress(data)
    own["description"] = as_text(description) if description else None
    for field in _INSTANTS:
        own[field.decode()] = _instant(fields.get(field))
    job = kind.__new__(kind)
    job.__dict__ = own
    return job


def _read_by_rq(
    kind: type[Job],
    identifier: str,
    fields: Mapping[bytes, bytes],
    connection: Redis,
    serializer: Any,
) -> Job:
    job = kind(identifier, connection=connection, serializer=serializer)
    if kind.restore is Job.restore:
        # RQ parses instants with strptime, which takes longer than all the rest.
        job.restore({name: fields[name] for name in fields if name not in _INSTANTS})
        for name in _INSTANTS:
            if name in fields:
                setattr(job, name.decode(), _instant(fields[name]))
    else:
        job.restore(dict(fields))
    return job


def _remember(key: Any, job: Job) -> None:
    attributes = vars(job).copy()
    if attributes.get("_unreadable_meta") is None:
        if len(_SHAPES) >= _SHAPES_KEPT:
            _SHAPES.clear()
        changeable = [
            name
            for name, value in attributes.items()
            if isinstance(value, list | dict) and name != "meta"
        ]
        for name in changeable:
            attributes[name] = attributes[name].copy()
        _SHAPES[key] = attributes, changeable


def _instant(raw: bytes | None) -> datetime | None:
    if not raw:
        return None
    try:
        instant = datetime.fromisoformat(raw.decode())
    except ValueError:
        read: datetime | None = str_to_date(raw)
        return read
    if instant.tzinfo is UTC:
        return instant
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
