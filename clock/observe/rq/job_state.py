"""What RQ still knows of the job of an occurrence; reading cleans nothing up."""

from __future__ import annotations

from dataclasses import dataclass

from redis import Redis

from clock.connection import rq_keys
from clock.ledger.unreadable import reply_about
from clock.observe.rq.fields import display_text

_FIELDS = ("status", "enqueued_at", "started_at", "ended_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """A job: its id, its status and its timestamps as RQ writes them, None if not reached."""

    id: str
    status: str
    enqueued_at: str | None
    started_at: str | None
    ended_at: str | None


def read_job(connection: Redis, identifier: str) -> JobState | None:
    """The job with the id ``identifier``; None if RQ no longer has it. Raises ServerError."""
    fields = reply_about(rq_keys.JOB + identifier, connection.hmget, _FIELDS)
    status, *instants = (display_text(value) for value in fields or [None] * len(_FIELDS))
    if status is None:
        return None
    enqueued, started, ended = instants
    return JobState(
        id=identifier, status=status, enqueued_at=enqueued, started_at=started, ended_at=ended
    )
