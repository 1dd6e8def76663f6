"""The options of ``every`` and ``defaults``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any, Literal, TypedDict

from clock.recurrence.at import Written
from clock.recurrence.duration import Duration
from clock.recurrence.wall import Fold, Gap
from clock.schedule import checks, day_checks
from clock.schedule.condition_time import ConditionTime
from clock.schedule.event import Overlap
from clock.schedule.option import (
    Option,
    Part,
    Use,
    duration_schema,
    integer_schema,
    intervals_schema,
    object_schema,
    options_for,
    string_schema,
)
from clock.schedule.peers import unknown_event_option


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
    jitter: Duration
    enabled: bool
    catch_up: Literal["latest", "all", "none"] | int
    within: Duration
    overlap: Overlap
    stuck_after: Duration
    except_: Any
    if_: Callable[[ConditionTime], object]


class EveryOptions(Defaults, total=False):
    """The options of ``every``, for type checkers."""

    name: str
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    tz: Any
    at: Written | Sequence[Written]
    on: int | str | Sequence[int | str]
    between: str | Sequence[Written]
    days: Any
    anchor: date | str
    start: date | str
    until: date | str


_ANYWHERE = frozenset({Use.DEFAULTS, Use.EVERY, Use.ROW, Use.ENQUEUE, Use.API})
_IN_FILES = frozenset({Use.DEFAULTS, Use.EVERY, Use.ROW})
_of_a_job = partial(Option, uses=_ANYWHERE)
_in_python = partial(Option, uses=_ANYWHERE - {Use.API})
_argument = partial(Option, uses=_ANYWHERE - {Use.DEFAULTS}, part=Part.EVENT)
_of_a_policy = partial(Option, uses=_IN_FILES, part=Part.POLICY)
_of_a_file = partial(Option, uses=_IN_FILES, part=Part.EVENT)
_code = partial(Option, uses=_IN_FILES - {Use.ROW}, part=Part.EVENT)
_of_an_event = partial(Option, uses=_IN_FILES - {Use.DEFAULTS}, part=Part.EVENT)

TABLE: tuple[Option, ...] = (
    _of_a_job("queue", checks.string, "The name of the queue; the default is ``default``.",
              string_schema(checks.LONGEST_STRING)),
    _of_a_job("timeout", checks.time_limit,
              "Seconds after which a running job is failed, -1 for no limit; RQ's default is 180.",
              duration_schema(1, checks.UNLIMITED)),
    _of_a_job("expires", checks.duration,
              "Seconds after its time within which a job must start; later it is not run.",
              duration_schema(1)),
    _of_a_job("retry", checks.retry, "A number of retries, or rq.Retry(...).",
              {"oneOf": [integer_schema(1, checks.MOST_TRIES), object_schema(
                  "max", max=integer_schema(1, checks.MOST_TRIES),
                  interval=intervals_schema(checks.MOST_TRIES))]}),
    _of_a_job("result_ttl", checks.time_to_live,
              "Seconds the result is kept, -1 for ever; RQ's default is 500.",
              duration_schema(0, checks.UNLIMITED)),
    _of_a_job("failure_ttl", checks.time_to_live,
              "Seconds a failed job is kept, -1 for ever; the default is seven days.",
              duration_schema(0, checks.UNLIMITED)),
    _of_a_job("at_front", checks.boolean, "Whether the job goes to the front of its queue.",
              {"type": "boolean"}),
    _of_a_job("meta", checks.meta, "The job's meta; the key ``clock`` is reserved.",
              {"type": "object"}),
    _of_a_job("description", checks.string, "The job's description.",
              string_schema(checks.LONGEST_STRING)),
    _in_python("on_success", checks.callback,
               "A function that the worker calls when the job succeeded."),
    _in_python("on_failure", checks.callback,
               "A function that the worker calls when the job failed."),
    _of_a_job("max_running", checks.max_running,
              "How many jobs of the task may run at once, over all of this project's workers.",
              integer_schema(1, checks.MOST_RUNNING)),
    _argument("args", checks.arguments, "The task's positional arguments.",
              {"type": "array", "items": {}}),
    _argument("kwargs", checks.mapping, "The task's keyword arguments.", {"type": "object"}),
    _of_a_policy("catch_up", checks.catch_up,
                 "Which missed occurrences fire: ``latest``, ``all``, ``none`` or a number."),
    _of_a_policy("within", checks.duration, "Seconds an occurrence may fire late at most."),
    _of_a_policy("overlap", checks.one_of("allow", "skip", "replace"),
                 "What happens while the previous job waits or runs: ``allow``, ``skip``, "
                 "``replace``."),
    _of_a_policy("stuck_after", checks.duration,
                 "Seconds after which a waiting job no longer counts for ``overlap``."),
    _code("if_", checks.condition,
          "A function of the occurrence; it fires only where this returns something true."),
    _of_a_file("except_", day_checks.days_off,
               "Dates on which the event does not fire: a set, ``holidays(...)`` or a function."),
    _of_a_file("enabled", checks.boolean, "False to declare the event without firing it."),
    _of_a_file("gap", checks.one_of("after", "shift", "skip"),
               "What a local time does that a clock change skips."),
    _of_a_file("fold", checks.one_of("first", "second", "both"),
               "What a local time does that a clock change repeats."),
    _of_a_file("spread", checks.duration,
               "Seconds within which the event is moved by an offset made from its name."),
    _of_a_file("jitter", checks.duration,
               "Seconds up to which each occurrence fires later, by a delay of its own."),
    _of_an_event("name", checks.string, "The event's name; the default is that of its task."),
    _of_an_event("tz", checks.time_zone, "The event's time zone."),
    _of_an_event("at", checks.as_written, "The time of day, one or several."),
    _of_an_event("on", checks.as_written, "The day of a month or year, one or several."),
    _of_an_event("between", day_checks.between,
                 "Two times of day, both included, between which the event fires."),
    _of_an_event("days", day_checks.days, "The weekdays or dates on which the event fires."),
    _of_an_event("anchor", checks.day, "The date from which several units are counted."),
    _of_an_event("start", checks.day, "The first date or instant."),
    _of_an_event("until", checks.day, "The last date or instant."),
)  # fmt: skip
"""Every option of a schedule file; everything about an option is derived from here."""

OPTIONS: Mapping[str, Option] = options_for(Use.EVERY, TABLE)
DEFAULTS: Mapping[str, Option] = options_for(Use.DEFAULTS, TABLE)
ROW_OPTIONS: Mapping[str, Option] = options_for(Use.ROW, TABLE)


def part_of(part: Part, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of checked ``values`` that belong to ``part``."""
    return {name: value for name, value in values.items() if OPTIONS[name].part is part}


def unknown_default(name: str, options: Iterable[str]) -> str:
    """The sentence for a name that ``defaults`` does not take."""
    if name == "tz":
        return "unknown option 'tz'; write timezone('...') for the whole file"
    if name in OPTIONS:
        return f"{name}= belongs to a single event, in every(...), not to a whole file"
    return unknown_event_option(name, options)
