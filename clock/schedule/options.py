"""The options of ``every`` and ``defaults``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Literal, TypedDict

from clock.recurrence.duration import Duration
from clock.recurrence.wall import Fold, Gap
from clock.schedule import checks
from clock.schedule.event import ConditionTime, Overlap
from clock.schedule.option import (
    Option,
    Part,
    Use,
    duration_schema,
    integer_schema,
    options_for,
    string_schema,
    unknown_option,
)


class JobKeywords(TypedDict, total=False):
    """The options of a job, for type checkers; ``TABLE`` says what each does."""

    queue: str
    timeout: Duration
    expires: Duration
    retry: Any
    result_ttl: Duration
    failure_ttl: Duration
    at_front: bool
    meta: Mapping[str, Any]
    description: str
    on_success: Any
    on_failure: Any
    max_running: int


class Defaults(JobKeywords, total=False):
    """The options of ``defaults``, for type checkers."""

    gap: Gap
    fold: Fold
    spread: Duration
    enabled: bool
    catch_up: Literal["latest", "all", "none"] | int
    within: Duration
    overlap: Overlap
    stuck_after: Duration
    if_: Callable[[ConditionTime], object]


class EveryOptions(Defaults, total=False):
    """The options of ``every``, for type checkers."""

    name: str
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    tz: Any
    at: str | Sequence[str]
    on: int | str | Sequence[int | str]
    anchor: date | str
    start: date | str
    until: date | str


_ANYWHERE = frozenset({Use.DEFAULTS, Use.EVERY, Use.ENQUEUE, Use.API})
_IN_PYTHON = _ANYWHERE - {Use.API}
_OF_A_JOB = _ANYWHERE - {Use.DEFAULTS}
_OF_A_FILE = frozenset({Use.DEFAULTS, Use.EVERY})
_OF_AN_EVENT = frozenset({Use.EVERY})

TABLE: tuple[Option, ...] = (
    Option(
        name="queue", check=checks.string, uses=_ANYWHERE,
        help="The name of the queue; the default is ``default``.",
        schema=string_schema(checks.LONGEST_STRING),
    ),
    Option(
        name="timeout", check=checks.time_limit, uses=_ANYWHERE,
        help="Seconds after which a running job is failed, -1 for no limit; RQ's default is 180.",
        schema=duration_schema(1, checks.UNLIMITED),
    ),
    Option(
        name="expires", check=checks.duration, uses=_ANYWHERE,
        help="Seconds after its time within which a job must start; later it is not run.",
        schema=duration_schema(1),
    ),
    Option(
        name="retry", check=checks.retry, uses=_ANYWHERE,
        help="A number of retries, or rq.Retry(...).",
        schema=integer_schema(1, checks.MOST_TRIES),
    ),
    Option(
        name="result_ttl", check=checks.time_to_live, uses=_ANYWHERE,
        help="Seconds the result is kept, -1 for ever; RQ's default is 500.",
        schema=duration_schema(0, checks.UNLIMITED),
    ),
    Option(
        name="failure_ttl", check=checks.time_to_live, uses=_ANYWHERE,
        help="Seconds a failed job is kept, -1 for ever; the default is seven days.",
        schema=duration_schema(0, checks.UNLIMITED),
    ),
    Option(
        name="at_front", check=checks.boolean, uses=_ANYWHERE,
        help="Whether the job goes to the front of its queue.",
        schema={"type": "boolean"},
    ),
    Option(
        name="meta", check=checks.meta, uses=_ANYWHERE,
        help="The job's meta; the key ``clock`` is reserved.",
        schema={"type": "object"},
    ),
    Option(
        name="description", check=checks.string, uses=_ANYWHERE,
        help="The job's description.",
        schema=string_schema(checks.LONGEST_STRING),
    ),
    Option(
        name="on_success", check=checks.callback, uses=_IN_PYTHON,
        help="A function that the worker calls when the job succeeded.",
    ),
    Option(
        name="on_failure", check=checks.callback, uses=_IN_PYTHON,
        help="A function that the worker calls when the job failed.",
    ),
    Option(
        name="max_running", check=checks.max_running, uses=_ANYWHERE,
        help="How many jobs of the task may run at once, over all of this project's workers.",
        schema=integer_schema(1, checks.MOST_RUNNING),
    ),
    Option(
        name="args", check=checks.arguments, uses=_OF_A_JOB, part=Part.EVENT,
        help="The task's positional arguments.",
        schema={"type": "array"},
    ),
    Option(
        name="kwargs", check=checks.mapping, uses=_OF_A_JOB, part=Part.EVENT,
        help="The task's keyword arguments.",
        schema={"type": "object"},
    ),
    Option(
        name="catch_up", check=checks.catch_up, uses=_OF_A_FILE, part=Part.POLICY,
        help="Which missed occurrences fire: ``latest``, ``all``, ``none`` or a number.",
    ),
    Option(
        name="within", check=checks.duration, uses=_OF_A_FILE, part=Part.POLICY,
        help="Seconds an occurrence may fire late at most.",
    ),
    Option(
        name="overlap", check=checks.one_of("allow", "skip", "replace"), uses=_OF_A_FILE,
        part=Part.POLICY,
        help="What happens while the previous job waits or runs: ``allow``, ``skip``, ``replace``.",
    ),
    Option(
        name="stuck_after", check=checks.duration, uses=_OF_A_FILE, part=Part.POLICY,
        help="Seconds after which a waiting job no longer counts for ``overlap``.",
    ),
    Option(
        name="if_", check=checks.condition, uses=_OF_A_FILE, part=Part.EVENT,
        help="A function of the occurrence; it fires only where this returns something true.",
    ),
    Option(
        name="enabled", check=checks.boolean, uses=_OF_A_FILE, part=Part.EVENT,
        help="False to declare the event without firing it.",
    ),
    Option(
        name="gap", check=checks.one_of("after", "shift", "skip"), uses=_OF_A_FILE,
        part=Part.EVENT, help="What a local time does that a clock change skips.",
    ),
    Option(
        name="fold", check=checks.one_of("first", "second", "both"), uses=_OF_A_FILE,
        part=Part.EVENT, help="What a local time does that a clock change repeats.",
    ),
    Option(
        name="spread", check=checks.duration, uses=_OF_A_FILE, part=Part.EVENT,
        help="Seconds within which the event is moved by an offset made from its name.",
    ),
    Option(
        name="name", check=checks.string, uses=_OF_AN_EVENT, part=Part.EVENT,
        help="The event's name; the default is that of its task.",
    ),
    Option(
        name="tz", check=checks.time_zone, uses=_OF_AN_EVENT, part=Part.EVENT,
        help="The event's time zone.",
    ),
    Option(
        name="at", check=checks.as_written, uses=_OF_AN_EVENT, part=Part.EVENT,
        help="The time of day, one or several.",
    ),
    Option(
        name="on", check=checks.as_written, uses=_OF_AN_EVENT, part=Part.EVENT,
        help="The day of a month or year, one or several.",
    ),
    Option(
        name="anchor", check=checks.day, uses=_OF_AN_EVENT, part=Part.EVENT,
        help="The date from which several units are counted.",
    ),
    Option(
        name="start", check=checks.day, uses=_OF_AN_EVENT, part=Part.EVENT,
        help="The first date or instant.",
    ),
    Option(
        name="until", check=checks.day, uses=_OF_AN_EVENT, part=Part.EVENT,
        help="The last date or instant.",
    ),
)  # fmt: skip
"""Every option of a schedule file; everything about an option is derived from here."""

OPTIONS: Mapping[str, Option] = options_for(Use.EVERY, TABLE)
DEFAULTS: Mapping[str, Option] = options_for(Use.DEFAULTS, TABLE)


def part_of(part: Part, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of checked ``values`` that belong to ``part``."""
    return {name: value for name, value in values.items() if OPTIONS[name].part is part}


def unknown_default(name: str, options: Iterable[str]) -> str:
    """The sentence for a name that ``defaults`` does not take."""
    if name == "tz":
        return "unknown option 'tz'; write timezone('...') for the whole file"
    if name in OPTIONS:
        return f"{name}= belongs to a single event, in every(...), not to a whole file"
    return unknown_option(name, options)
