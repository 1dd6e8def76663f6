"""The checks of the options that only ``enqueue`` has: each returns a value as it is kept.

All raise ValueError with one sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from redis import Redis
from rq import Repeat
from rq.job import Dependency

from clock.jobs.rq_versions import is_rate_limit, new_rate_limit
from clock.ledger.reserved import is_reserved
from clock.recurrence.duration import parse_timeout
from clock.schedule import checks as schedule_checks

PRIORITIES = ("high", "default", "low")
"""Queues, in the order in which this project's workers empty them."""

MOST_DEPENDENCIES = 1000
"""Jobs that one may depend on, as the API takes it."""

JOB_ID = "[A-Za-z0-9_-]{1,200}"
"""The job ids that RQ takes, as a regular expression."""


def at(value: Any) -> datetime:
    """An aware datetime, or an instant in ISO 8601."""
    if isinstance(value, str):
        value = _instant(value)
    if not isinstance(value, datetime):
        raise ValueError(f"{value!r} must be a datetime; for a duration there is delay=")
    if value.utcoffset() is None:
        raise ValueError(
            f"{value.isoformat()} has no zone; use an aware datetime, as datetime.now(UTC)"
        )
    return value


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
        instant.astimezone(UTC)
    except ValueError:
        raise ValueError(f"{text!r} is not an instant like '2026-11-21T18:00Z'") from None
    except OverflowError:
        raise ValueError(f"{text!r} is later than the year 9999") from None
    return instant


def depends_on(value: Any) -> list[str] | Dependency:
    """One job or several, by id, as RQ's jobs or as handles; or RQ's ``Dependency`` on them, or
    ``{"jobs": [...], "allow_failure": True}``.
    """
    if isinstance(value, Mapping):
        of = schedule_checks.fields(value, "jobs", may_have=("allow_failure",))
        may_fail = schedule_checks.boolean(of.get("allow_failure", False))
        return Dependency(_ids(of["jobs"]), may_fail)
    if isinstance(value, Dependency):
        return Dependency(_ids(value.dependencies), value.allow_failure, value.enqueue_at_front)
    return _ids(value)


def _ids(jobs: Any) -> list[str]:
    listed = jobs if isinstance(jobs, list | tuple) else [jobs]
    ids = [job_id(getattr(job, "id", job)) for job in listed]
    if not ids:
        raise ValueError("must name at least one job")
    return ids


def repeat(value: Any) -> Repeat:
    """RQ's ``Repeat``, or ``{"times": 3, "interval": "1h"}``."""
    if isinstance(value, Mapping):
        of = schedule_checks.fields(value, "times", may_have=("interval",))
        intervals = schedule_checks.intervals(of.get("interval", 0))
        return Repeat(times=schedule_checks.times(of["times"]), interval=intervals)
    if not isinstance(value, Repeat):
        raise ValueError(f"{value!r} must be rq.Repeat(...)")
    return value


def rate_limit(value: Any) -> Any:
    """RQ's ``RateLimit``, or ``{"key": "mail", "concurrency": 2}``."""
    if isinstance(value, Mapping):
        of = schedule_checks.fields(value, "key", "concurrency")
        concurrency = schedule_checks.max_running(of["concurrency"])
        limit = new_rate_limit(schedule_checks.string(of["key"]), concurrency)
    else:
        limit = value
    if not is_rate_limit(limit):
        raise ValueError(f"{value!r} must be rq.RateLimit(...), which RQ has from release 3 on")
    return limit


def priority(value: Any) -> str:
    """The name of one of three queues."""
    if value not in PRIORITIES:
        words = ", ".join(map(repr, PRIORITIES))
        raise ValueError(f"{value!r} must be one of {words}; name another queue with queue=")
    return str(value)


def job_id(value: Any) -> str:
    """The id of a job, of one that exists or is to be."""
    if not isinstance(value, str) or not re.fullmatch(JOB_ID, value):
        raise ValueError(f"{value!r} is not a valid job id; use letters, digits, '_' and '-'")
    return value


def new_id(value: Any) -> str:
    """The id of a job that is to be enqueued."""
    if is_reserved(job_id(value)):
        raise ValueError(f"{value!r} has the form of the clock's own job ids; choose another")
    return str(value)


def deadline(value: Any) -> float:
    """A duration longer than 0, in seconds."""
    seconds = parse_timeout(value)
    if seconds == 0:
        raise ValueError("must be longer than 0")
    return seconds


def connection(value: Any) -> Redis:
    """A client of a server."""
    if not isinstance(value, Redis):
        raise ValueError(f"{value!r} is not a connection; create one with redis.Redis")
    return value
