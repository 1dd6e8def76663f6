"""The options of ``enqueue``: their types, their checks, and what they come to."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from redis import Redis

from clock.jobs.target import ANSWER
from clock.ledger.reserved import is_reserved
from clock.recurrence.duration import LONGEST, Duration, Timeout, parse_timeout
from clock.schedule import checks
from clock.schedule.event import JobOptions
from clock.schedule.option import (
    Option,
    Part,
    Use,
    check_options,
    duration_schema,
    options_for,
    string_schema,
    unknown_option,
)
from clock.schedule.options import TABLE as SCHEDULE_TABLE
from clock.schedule.options import JobKeywords

PRIORITIES = ("high", "default", "low")
"""Queues, in the order in which this project's workers empty them."""

RESULT_TTL = 500
"""Seconds RQ's workers keep a result by default."""

RQ_TIMEOUT = 180
"""Seconds a job may run by default: RQ's own."""

LONGEST_SEEN = 3600
"""Seconds of ``expires`` up to which results are kept longer by default, so that a job that expired
can be told from one that ended."""

_ID = "[A-Za-z0-9_-]{1,200}"
"""The job ids that RQ takes, as a regular expression."""

STUCK = 86_400
"""Seconds after which a job that still waits no longer stands for its equals: its worker may have
died between taking it and beginning it, and then it waits for ever."""

ENDLESS = 30 * 86_400
"""Seconds a job without a timeout stands for its equals."""


class EnqueueOptions(JobKeywords, total=False):
    """The options of ``enqueue``, for type checkers; ``TABLE`` says what each does."""

    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    priority: Literal["high", "default", "low"]
    delay: Duration
    unique: Literal["waiting", "unfinished"] | Duration
    unique_key: str
    id: str
    deadline: Timeout
    connection: Redis


@dataclass(frozen=True, slots=True, kw_only=True)
class Unique:
    """Which jobs are equal (``digest``), while in which state, and for how many seconds at most."""

    kind: str
    digest: str
    lasts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedOptions:
    """The options of one call, checked and complete."""

    queue: str
    job: JobOptions
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    delay: int | None
    unique: Unique | None
    id: str | None
    deadline: float
    connection: Redis | None


def read_options(task: str, options: EnqueueOptions) -> CheckedOptions:
    """``options`` of a job of ``task``. Raises ValueError, naming the option, for a wrong one."""
    checked = check_options(options, OPTIONS, _unknown)
    job = _job_options(checked)
    return CheckedOptions(
        queue=job.queue,
        job=job,
        args=checked.get("args", ()),
        kwargs=checked.get("kwargs", {}),
        delay=checked.get("delay"),
        unique=_unique(task, checked, job),
        id=checked.get("id"),
        deadline=checked.get("deadline", ANSWER),
        connection=checked.get("connection"),
    )


def _unknown(name: str, options: Iterable[str]) -> str:
    note = "the task's own arguments go into args= and kwargs=; "
    return unknown_option(name, options, note)


def _job_options(checked: Mapping[str, Any]) -> JobOptions:
    if "priority" in checked and "queue" in checked:
        raise ValueError("priority= names a queue; give either priority= or queue=")
    job = {name: value for name, value in checked.items() if OPTIONS[name].part is Part.JOB}
    if "priority" in checked:
        job["queue"] = checked["priority"]
    if "expires" in job and "result_ttl" not in job:
        job["result_ttl"] = RESULT_TTL + min(job["expires"], LONGEST_SEEN)
    return JobOptions(**job)


def _unique(task: str, checked: Mapping[str, Any], job: JobOptions) -> Unique | None:
    if "unique" not in checked:
        if "unique_key" in checked:
            raise ValueError("unique_key= has no effect without unique=")
        return None
    kind, lasts = checked["unique"]
    equal = checked.get("unique_key") or _arguments(checked)
    digest = hashlib.blake2b(f"{kind}\0{task}\0{equal}".encode(), digest_size=16).hexdigest()
    return Unique(kind=kind, digest=digest, lasts=lasts or _longest(checked, job))


def _longest(checked: Mapping[str, Any], job: JobOptions) -> int:
    """Seconds within which a job that is not stuck has ended; its guard ends with them."""
    waits = STUCK + (checked.get("delay") or 0)
    if job.timeout == -1:
        return int(waits + ENDLESS)
    tries = 1 + (job.retry.max if job.retry else 0)
    pause = max(job.retry.intervals, default=0) if job.retry else 0
    runs = RQ_TIMEOUT if job.timeout is None else job.timeout
    return int(min(waits + tries * (runs + pause), LONGEST))


def _arguments(checked: Mapping[str, Any]) -> str:
    """Equal strings for equal arguments; JSON, because pickles of equal values may differ."""
    try:
        return json.dumps([checked.get("args", ()), checked.get("kwargs", {})], sort_keys=True)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"unique=: these arguments cannot be compared ({error}); "
            "name equal jobs with unique_key="
        ) from None


def _is_unique(value: Any) -> tuple[str, int]:
    """The kind of uniqueness, and its seconds where it is one of time."""
    if value in ("waiting", "unfinished"):
        return value, 0
    try:
        lasts = parse_timeout(value)
    except ValueError:
        lasts = 0.0
    if lasts < 1:
        raise ValueError(
            f"{value!r} must be 'waiting', 'unfinished' or a duration of at least one second"
        )
    return "time", int(lasts)


def _priority(value: Any) -> str:
    if value not in PRIORITIES:
        words = ", ".join(map(repr, PRIORITIES))
        raise ValueError(f"{value!r} must be one of {words}; name another queue with queue=")
    return str(value)


def _id(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(_ID, value):
        raise ValueError(f"{value!r} is not a valid job id; use letters, digits, '_' and '-'")
    if is_reserved(value):
        raise ValueError(f"{value!r} has the form of the clock's own job ids; choose another")
    return value


def _deadline(value: Any) -> float:
    deadline = parse_timeout(value)
    if deadline == 0:
        raise ValueError("must be longer than 0")
    return deadline


def _connection(value: Any) -> Redis:
    if not isinstance(value, Redis):
        raise ValueError(f"{value!r} is not a connection; create one with redis.Redis")
    return value


_EVERYWHERE = frozenset({Use.ENQUEUE, Use.API})
_IN_PYTHON = frozenset({Use.ENQUEUE})

TABLE: tuple[Option, ...] = (
    *options_for(Use.ENQUEUE, SCHEDULE_TABLE).values(),
    Option(
        name="priority", check=_priority, uses=_EVERYWHERE, part=Part.CALL,
        help="One of three queues, which workers empty in this order: ``high``, ``default``, "
        "``low``.",
        schema={"enum": list(PRIORITIES)},
    ),
    Option(
        name="delay", check=checks.duration, uses=_EVERYWHERE, part=Part.CALL,
        help="Seconds until the job goes to its queue.",
        schema=duration_schema(1),
    ),
    Option(
        name="unique", check=_is_unique, uses=_EVERYWHERE, part=Part.CALL,
        help="Do not enqueue while an equal job is ``waiting``, is ``unfinished``, or was enqueued "
        "less than so many seconds ago; the handle is then that job's. Equal are jobs of one task "
        "with equal arguments.",
        schema=duration_schema(1),
    ),
    Option(
        name="unique_key", check=checks.string, uses=_EVERYWHERE, part=Part.CALL,
        help="Equal are jobs of one task with the same key instead.",
        schema=string_schema(checks.LONGEST_STRING),
    ),
    Option(
        name="id", check=_id, uses=_EVERYWHERE, part=Part.CALL,
        help="The job's id: letters, digits, ``_`` and ``-``. Where a job has it already, that one "
        "is returned.",
        schema={"type": "string", "pattern": f"^{_ID}$"},
    ),
    Option(
        name="deadline", check=_deadline, uses=_IN_PYTHON, part=Part.CALL,
        help="Seconds the server has for each answer; the default is 5.",
    ),
    Option(
        name="connection", check=_connection, uses=_IN_PYTHON, part=Part.CALL,
        help="The client of the server; the default is that of the running job, else that of the "
        "settings.",
    ),
)  # fmt: skip
"""Every option of ``enqueue``; those of the job itself are the ones of a schedule file."""

OPTIONS: Mapping[str, Option] = options_for(Use.ENQUEUE, TABLE)
