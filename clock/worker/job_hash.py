"""A job as it is stored: read from its hash, and compared with it when the job has ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rq.job import Job
from rq.utils import str_to_date

_INSTANTS = (b"created_at", b"enqueued_at", b"started_at", b"ended_at", b"last_heartbeat")

_WRITTEN = ("status", "started_at", "ended_at", "last_heartbeat", "worker_name")
"""Fields of a job that every end writes."""

_OF_A_RUN = {
    *("_status", "started_at", "ended_at", "last_heartbeat", "worker_name", "perform", "meta"),
    *("_result", "_func_name", "_instance", "_args", "_kwargs", "redis_server_version"),
}
"""Attributes that a run changes, and that are written apart, or that RQ reads from others."""


class JobHash:
    """The hash of a ``job``, and its attributes before it ran."""

    def __init__(self, job: Job, fields: Mapping[bytes, bytes]) -> None:
        """Raises whatever RQ raises for a hash that it cannot read."""
        self.job = job
        self._fields = fields
        if type(job).restore is Job.restore:
            # RQ parses instants with strptime, which takes longer than all the rest.
            job.restore({name: fields[name] for name in fields if name not in _INSTANTS})
            for name in _INSTANTS:
                if name in fields:
                    setattr(job, name.decode(), _instant(fields[name]))
        else:
            job.restore(dict(fields))
        self._attributes = dict(vars(job))

    def changes(self) -> list[Any]:
        """The fields of the hash that are to be written when the job has ended, each before its
        value: what every end writes, and what the task has changed.
        """
        after: dict[str, Any] = vars(self.job)
        before = self._attributes
        if all(before.get(name) is value for name, value in after.items() if name not in _OF_A_RUN):
            return [part for name in _WRITTEN for part in (name, self._written(name))]
        changed: list[Any] = []
        for name, value in self.job.to_dict(include_meta=False, include_result=False).items():
            stored = value if isinstance(value, bytes) else str(value).encode()
            if name in _WRITTEN or self._fields.get(name.encode()) != stored:
                changed += (name, value)
        return changed

    def _written(self, name: str) -> Any:
        value = self.job._status if name == "status" else getattr(self.job, name)
        return as_rq_writes(value) if isinstance(value, datetime) else value or ""


def _instant(raw: bytes) -> datetime | None:
    if not raw:
        return None
    try:
        instant = datetime.fromisoformat(raw.decode())
    except ValueError:
        read: datetime | None = str_to_date(raw)
        return read
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def as_rq_writes(instant: datetime) -> str:
    """An aware datetime as RQ writes it; faster than its strftime."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
