"""The options of ``enqueue``: their types, their checks, what becomes of them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from redis import Redis

from clock.jobs.span import Span, seconds
from clock.jobs.target import ANSWER
from clock.ledger.reserved import is_reserved
from clock.schedule.duration import LONGEST
from clock.schedule.event import JobOptions
from clock.schedule.options import OPTIONS, Duration, check_options

PRIORITIES = ("high", "default", "low")
"""Queues, in the order in which this project's workers empty them."""

RESULT_TTL = 500
"""Seconds RQ's workers keep a result, unless a job or their command says otherwise."""

RQ_TIMEOUT = 180
"""Seconds a job may run where nobody says otherwise: RQ's default."""

LONGEST_SEEN = 3600
"""Seconds of ``expires`` up to which results are kept longer by default, so that a job that expired
can be told from one that ended."""

STUCK = 86_400
"""Seconds after which a job that still waits no longer stands for its equals: its worker may have
died between taking it and beginning it, and then it waits for ever."""

ENDLESS = 30 * 86_400
"""Seconds a job without a timeout stands for its equals."""


class EnqueueOptionWords(TypedDict, total=False):
    """What may be said of a job. Lengths of time are seconds, ``"5m"`` or a timedelta."""

    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    priority: Literal["high", "default", "low"]
    """The queue, of the three that workers empty in this order; another word is refused."""
    queue: str
    """The queue, whatever its name; the default is ``default``."""
    delay: Duration
    """Put on its queue only then, by a worker ``--with-scheduler``."""
    unique: Literal["waiting", "unfinished"] | Duration
    """Not enqueued while an equal job, enqueued so too, waits; waits or runs; or was enqueued less
    than that time ago. The handle is then that job's. Equal are jobs of one task with equal
    arguments."""
    unique_key: str
    """Equal are jobs of one task with the same key instead."""
    expires: Duration
    """Not run where it has not been started that long after it was due."""
    retry: Any
    """A number of further tries, or ``rq.Retry(...)``."""
    timeout: Duration
    """A job that runs longer is failed; -1 for no limit; RQ's default is three minutes."""
    result_ttl: Duration
    """How long the result is kept, -1 for ever; RQ's default is 500 s."""
    failure_ttl: Duration
    """How long a failure is kept, -1 for ever; the default is seven days."""
    at_front: bool
    meta: Mapping[str, Any]
    description: str
    on_success: Any
    on_failure: Any
    max_running: int
    """Not begun by a ``clock.worker.Worker`` while so many jobs of its task run."""
    id: str
    """The job's id, of letters, digits, ``_`` and ``-``. Where a job has it already, that one is
    it. One of the form of the clock's own (see ``clock.ledger.reserved``) is refused."""
    deadline: Span
    """The time the server has for each answer; 5 s unless said otherwise."""
    connection: Redis
    """The server; else that of the running job, else that of the settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unique:
    """Which jobs equal this one (``digest``), while what, and for how many seconds at most."""

    kind: str
    digest: str
    lasts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EnqueueOptions:
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


def asked_for(task: str, options: EnqueueOptionWords) -> EnqueueOptions:
    """``options`` of a job of ``task``. Raises ValueError, naming the option, for a wrong one."""
    for name in options:
        if name not in _KNOWN:
            known = ", ".join(sorted(_KNOWN))
            raise ValueError(
                f"unknown option {name!r}; what the task takes goes into args= and kwargs=, "
                f"and the options are {known}"
            )
    given = check_options(dict(options.items()), _KNOWN)
    job = _job_options(given)
    return EnqueueOptions(
        queue=job.queue,
        job=job,
        args=given.get("args", ()),
        kwargs=given.get("kwargs", {}),
        delay=given.get("delay"),
        unique=_unique(task, given, job),
        id=given.get("id"),
        deadline=given.get("deadline", ANSWER),
        connection=given.get("connection"),
    )


def _job_options(given: Mapping[str, Any]) -> JobOptions:
    if "priority" in given and "queue" in given:
        raise ValueError("priority= is a queue; say one of priority= and queue=")
    said = {name: given[name] for name in _OF_THE_JOB if name in given}
    if "priority" in given:
        said["queue"] = given["priority"]
    if "expires" in said and "result_ttl" not in said:
        said["result_ttl"] = RESULT_TTL + min(said["expires"], LONGEST_SEEN)
    return JobOptions(**said)


def _unique(task: str, given: Mapping[str, Any], job: JobOptions) -> Unique | None:
    if "unique" not in given:
        if "unique_key" in given:
            raise ValueError("unique_key= says which jobs are equal; say what that means: unique=")
        return None
    kind, lasts = given["unique"]
    equal = given.get("unique_key") or _arguments(given)
    digest = hashlib.blake2b(f"{kind}\0{task}\0{equal}".encode(), digest_size=16).hexdigest()
    return Unique(kind=kind, digest=digest, lasts=lasts or _longest(given, job))


def _longest(given: Mapping[str, Any], job: JobOptions) -> int:
    """Seconds within which a job that is not stuck has ended; its guard ends with them."""
    waits = STUCK + (given.get("delay") or 0)
    if job.timeout == -1:
        return int(waits + ENDLESS)
    tries = 1 + (job.retry.max if job.retry else 0)
    pause = max(job.retry.intervals, default=0) if job.retry else 0
    runs = RQ_TIMEOUT if job.timeout is None else job.timeout
    return int(min(waits + tries * (runs + pause), LONGEST))


def _arguments(given: Mapping[str, Any]) -> str:
    """Equal texts for equal arguments. Pickles of equal values may differ, so JSON it is."""
    try:
        return json.dumps([given.get("args", ()), given.get("kwargs", {})], sort_keys=True)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"unique=: whether jobs with such arguments are equal cannot be told ({error}); "
            "say it with unique_key="
        ) from None


def _is_unique(value: Any) -> tuple[str, int]:
    """The kind of uniqueness, and its seconds where it is one of time."""
    if value in ("waiting", "unfinished"):
        return value, 0
    try:
        lasts = seconds(value)
    except ValueError:
        lasts = 0.0
    if isinstance(value, bool) or lasts < 1:
        raise ValueError(f"{value!r} is neither 'waiting', 'unfinished' nor a length of time")
    return "time", int(lasts)


def _priority(value: Any) -> str:
    if value not in PRIORITIES:
        words = ", ".join(map(repr, PRIORITIES))
        raise ValueError(f"{value!r} is none of {words}; another queue is named with queue=")
    return str(value)


def _id(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,200}", value):
        raise ValueError(f"{value!r} is no id: RQ takes letters, digits, '_' and '-'")
    if is_reserved(value):
        raise ValueError(f"{value!r} has the form of the clock's own job ids; choose another")
    return value


def _deadline(value: Any) -> float:
    found = seconds(value)
    if found == 0:
        raise ValueError("the server needs some time to answer")
    return found


def _connection(value: Any) -> Redis:
    if not isinstance(value, Redis):
        raise ValueError(f"{value!r} is no connection; make one with redis.Redis")
    return value


_OF_THE_JOB = (
    "queue", "timeout", "expires", "retry", "result_ttl", "failure_ttl", "at_front", "meta",
    "description", "on_success", "on_failure", "max_running",
)  # fmt: skip

_KNOWN: Mapping[str, Callable[[Any], Any]] = {
    **{name: OPTIONS[name] for name in (*_OF_THE_JOB, "args", "kwargs")},
    "priority": _priority,
    "delay": OPTIONS["expires"],
    "unique": _is_unique,
    "unique_key": OPTIONS["description"],
    "id": _id,
    "deadline": _deadline,
    "connection": _connection,
}
