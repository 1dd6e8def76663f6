"""The options of ``enqueue``: their types, their checks, and what they come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal

from redis import Redis
from rq import Repeat

from clock.jobs import checks
from clock.jobs.target import ANSWER
from clock.jobs.unique import Unique, check_unique, read_unique
from clock.recurrence.duration import Duration, Timeout
from clock.schedule import checks as schedule_checks
from clock.schedule.event import Callback, JobOptions
from clock.schedule.option import (
    Option,
    Part,
    Schema,
    Use,
    check_options,
    duration_schema,
    integer_schema,
    intervals_schema,
    object_schema,
    options_for,
    string_schema,
    unknown_option,
)
from clock.schedule.options import TABLE as SCHEDULE_TABLE
from clock.schedule.options import JobKeywords

RESULT_TTL = 500
"""Seconds RQ's workers keep a result by default."""

LONGEST_SEEN = 3600
"""Seconds of ``expires`` up to which results are kept longer by default, so that a job that expired
can be told from one that ended."""


class EnqueueOptions(JobKeywords, total=False):
    """The options of ``enqueue``, for type checkers; ``TABLE`` says what each does."""

    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    priority: Literal["high", "default", "low"]
    delay: Duration
    at: datetime
    depends_on: Any
    repeat: Repeat
    on_stopped: Any
    rate_limit: Any
    group: str
    unique: Literal["waiting", "unfinished"] | Duration
    unique_key: str
    id: str
    deadline: Timeout
    connection: Redis


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedOptions:
    """The options of one call, checked and complete."""

    queue: str
    job: JobOptions
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    delay: int | None = None
    at: datetime | None = None
    depends_on: Any = None
    repeat: Repeat | None = None
    on_stopped: Callback | None = None
    rate_limit: Any = None
    group: str | None = None
    unique: Unique | None = None
    id: str | None = None
    deadline: float = ANSWER
    connection: Redis | None = None


_FIELDS = frozenset(field.name for field in fields(CheckedOptions))


def read_options(task: str, options: EnqueueOptions) -> CheckedOptions:
    """``options`` of a job of ``task``. Raises ValueError, naming the option, for a wrong one."""
    checked = check_options(options, OPTIONS, _unknown)
    if "delay" in checked and "at" in checked:
        raise ValueError("delay= and at= both say when the job is due; give only one of them")
    if "depends_on" in checked and not checked.keys().isdisjoint({"delay", "at"}):
        raise ValueError(
            "depends_on= does not go with delay= or at=: when such a job is due, RQ runs it, "
            "whatever it depends on"
        )
    job = _job_options(checked)
    own = {name: value for name, value in checked.items() if name in _FIELDS}
    return CheckedOptions(
        **own | {"queue": job.queue, "job": job, "unique": read_unique(task, checked, job)}
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


_EVERYWHERE = frozenset({Use.ENQUEUE, Use.API})
_IN_PYTHON = frozenset({Use.ENQUEUE})

_ID: Schema = {"type": "string", "pattern": f"^{checks.JOB_ID}$"}
_JOBS: list[Schema] = [
    _ID,
    {"type": "array", "items": _ID, "minItems": 1, "maxItems": checks.MOST_DEPENDENCIES},
]

TABLE: tuple[Option, ...] = (
    *options_for(Use.ENQUEUE, SCHEDULE_TABLE).values(),
    Option(
        name="priority", check=checks.priority, uses=_EVERYWHERE, part=Part.CALL,
        help="One of three queues, which workers empty in this order: ``high``, ``default``, "
        "``low``.",
        schema={"enum": list(checks.PRIORITIES)},
    ),
    Option(
        name="delay", check=schedule_checks.duration, uses=_EVERYWHERE, part=Part.CALL,
        help="Seconds until the job goes to its queue.",
        schema=duration_schema(1),
    ),
    Option(
        name="at", check=checks.at, uses=_EVERYWHERE, part=Part.CALL,
        help="The instant at which the job goes to its queue, with an offset; one that has passed "
        "means now.",
        schema={"type": "string", "format": "date-time", "minLength": 1, "maxLength": 50},
    ),
    Option(
        name="depends_on", check=checks.depends_on, uses=_EVERYWHERE, part=Part.CALL,
        help="The job goes to its queue when these jobs have finished: handles, jobs or ids, one "
        "or a list, or rq.job.Dependency(...).",
        schema={"oneOf": [*_JOBS, object_schema(
            "jobs", jobs={"oneOf": _JOBS}, allow_failure={"type": "boolean"})]},
    ),
    Option(
        name="repeat", check=checks.repeat, uses=_EVERYWHERE, part=Part.CALL,
        help="How often, and after how many seconds, the job is run again once it succeeded: "
        "rq.Repeat(...).",
        schema=object_schema(
            "times", times=integer_schema(1, schedule_checks.MOST_REPEATS),
            interval=intervals_schema(schedule_checks.MOST_TRIES)),
    ),
    Option(
        name="on_stopped", check=schedule_checks.callback, uses=_IN_PYTHON, part=Part.CALL,
        help="A function that the worker calls when the job was stopped.",
    ),
    Option(
        name="rate_limit", check=checks.rate_limit, uses=_EVERYWHERE, part=Part.CALL,
        help="rq.RateLimit(...), of RQ 3: how many jobs with its key may be queued or run at once.",
        schema=object_schema(
            "key", "concurrency", key=string_schema(schedule_checks.LONGEST_STRING),
            concurrency=integer_schema(1, schedule_checks.MOST_RUNNING)),
    ),
    Option(
        name="group", check=schedule_checks.string, uses=_EVERYWHERE, part=Part.CALL,
        help="The name of RQ's group that the job belongs to.",
        schema=string_schema(schedule_checks.LONGEST_STRING),
    ),
    Option(
        name="unique", check=check_unique, uses=_EVERYWHERE, part=Part.CALL,
        help="Do not enqueue while an equal job is ``waiting``, is ``unfinished``, or was enqueued "
        "less than so many seconds ago; the handle is then that job's. Equal are jobs of one task "
        "with equal arguments.",
        schema=duration_schema(1),
    ),
    Option(
        name="unique_key", check=schedule_checks.string, uses=_EVERYWHERE, part=Part.CALL,
        help="Equal are jobs of one task with the same key instead.",
        schema=string_schema(schedule_checks.LONGEST_STRING),
    ),
    Option(
        name="id", check=checks.new_id, uses=_EVERYWHERE, part=Part.CALL,
        help="The job's id: letters, digits, ``_`` and ``-``. Where a job has it already, that one "
        "is returned.",
        schema=_ID,
    ),
    Option(
        name="deadline", check=checks.deadline, uses=_IN_PYTHON, part=Part.CALL,
        help="Seconds the server has for each answer; the default is 5.",
    ),
    Option(
        name="connection", check=checks.connection, uses=_IN_PYTHON, part=Part.CALL,
        help="The client of the server; the default is that of the running job, else that of the "
        "settings.",
    ),
)  # fmt: skip
"""Every option of ``enqueue``; those of the job itself are the ones of a schedule file."""

OPTIONS: Mapping[str, Option] = options_for(Use.ENQUEUE, TABLE)
