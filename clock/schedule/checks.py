"""The checks of options: each takes a value as written and returns it as kept.

All raise ValueError with one sentence.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from clock.recurrence.anchor import Anchor
from clock.recurrence.duration import parse_duration
from clock.recurrence.zone import Zone, zone
from clock.schedule.condition_time import ConditionTime
from clock.schedule.event import ALL, Callback, RetryPolicy
from clock.schedule.task import task_name

if TYPE_CHECKING:
    from clock.recurrence.bounds import Bound

LONGEST_STRING = 200
"""Characters of a name, a queue or a description."""

MOST_TRIES = 1000
MOST_RUNNING = 1000
MOST_REPEATS = 1_000_000
MOST_CAUGHT_UP = 100_000
"""The highest number ``catch_up`` takes."""

UNLIMITED = -1
"""Without a limit, or for ever, as to RQ."""


def string(value: object) -> str:
    """A name or a description."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError(f"{value!r} must be a string of printable characters")
    if len(value) > LONGEST_STRING:
        raise ValueError(f"{len(value)} characters are too many; at most {LONGEST_STRING}")
    return value


def boolean(value: object) -> bool:
    """True or False, and no number."""
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} must be True or False")
    return value


def duration(value: object) -> int:
    """A duration of one second or more, in seconds."""
    seconds = parse_duration(value)
    if seconds == 0:
        raise ValueError(f"{value!r} is too short; the minimum is one second")
    return seconds


def time_limit(value: object) -> int:
    """A duration of one second or more, or -1 for no limit."""
    return UNLIMITED if value == UNLIMITED else duration(value)


def time_to_live(value: object) -> int:
    """A duration, 0 included, or -1 for ever."""
    return UNLIMITED if value == UNLIMITED else parse_duration(value)


def retry(value: Any) -> RetryPolicy:
    """A number of retries, RQ's ``Retry``, or ``{"max": 3, "interval": "1m"}``."""
    note = "; leave the option out for none"
    if isinstance(value, int):
        return RetryPolicy(max=_number(value, "retries", MOST_TRIES, note))
    if isinstance(value, Mapping):
        of = fields(value, "max", may_have=("interval",))
        most = _number(of["max"], "retries", MOST_TRIES, note)
        return RetryPolicy(max=most, intervals=intervals(of.get("interval", 0)))
    if all(hasattr(value, field) for field in ("max", "intervals", "enqueue_at_front")):
        return RetryPolicy(
            max=value.max, intervals=tuple(value.intervals), at_front=bool(value.enqueue_at_front)
        )
    raise ValueError(f"{value!r} must be a number of retries or rq.Retry(...)")


def fields(value: Mapping[Any, Any], *names: str, may_have: Iterable[str] = ()) -> dict[str, Any]:
    """A dict with all of ``names`` as keys, and perhaps some of ``may_have``."""
    known = (*names, *may_have)
    for name in value:
        if name not in known:
            raise ValueError(f"{name!r} is not one of {', '.join(known)}")
    for name in names:
        if name not in value:
            raise ValueError(f"{value!r} needs {name!r}")
    return dict(value)


def intervals(value: Any) -> tuple[int, ...]:
    """A duration, or a list of them, in seconds; 0 included."""
    listed = value if isinstance(value, list | tuple) else [value]
    if not 1 <= len(listed) <= MOST_TRIES:
        raise ValueError(f"a list of intervals has 1 to {MOST_TRIES} items")
    return tuple(parse_duration(item) for item in listed)


def max_running(value: object) -> int:
    """How many jobs of a task may run at once."""
    return _number(value, "jobs", MOST_RUNNING)


def times(value: object) -> int:
    """How often a job is repeated."""
    return _number(value, "repeats", MOST_REPEATS)


def _number(value: object, unit: str, most: int, note: str = "") -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise ValueError(f"{value!r} must be a number of {unit} from 1 to {most}{note}")
    return value


def callback(value: Any) -> Callback:
    """A function by its dotted name, itself, or as RQ's ``Callback``."""
    if hasattr(value, "name") and hasattr(value, "timeout"):
        return Callback(name=task_name(value.name), timeout=int(value.timeout))
    return Callback(name=task_name(value))


def mapping(value: object) -> dict[str, Any]:
    """A dict with strings as keys."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ValueError(f"{value!r} must be a dict with string keys")
    return dict(value)


def meta(value: object) -> dict[str, Any]:
    """A dict without the key that the clock writes."""
    checked = mapping(value)
    if "clock" in checked:
        raise ValueError("the key 'clock' is reserved; choose another")
    return checked


def arguments(value: object) -> tuple[Any, ...]:
    """A list or tuple."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"{value!r} must be a list or tuple of arguments")
    return tuple(value)


def time_zone(value: Any) -> Zone:
    """A zone by its IANA name, or as one of pytz or zoneinfo."""
    # pytz names its zones in `zone`, zoneinfo in `key`.
    name = (
        value
        if isinstance(value, str)
        else getattr(value, "zone", None) or getattr(value, "key", None)
    )
    if not isinstance(name, str):
        raise ValueError(f"{value!r} is not a zone; write its name, as 'Europe/Berlin'")
    return zone(name)


def day(value: object) -> Anchor | Bound:
    """A date, or an aware datetime, as such or in ISO 8601."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is not a date like '2026-01-31'") from None
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise ValueError(
                f"{value.isoformat()} has no zone; write a date, or an aware datetime "
                f"like '{value.isoformat()}+00:00'"
            )
        return value
    if isinstance(value, date):
        return value
    raise ValueError(f"{value!r} is not a date; write date(2026, 1, 31) or '2026-01-31'")


def one_of(*words: str) -> Callable[[object], str]:
    """A check for one of ``words``."""

    def check(value: object) -> str:
        if value not in words:
            raise ValueError(f"{value!r} must be one of {', '.join(map(repr, words))}")
        return str(value)

    return check


def catch_up(value: Any) -> int:
    """How many missed occurrences are made up."""
    if isinstance(value, int):
        return _number(value, "occurrences", MOST_CAUGHT_UP)
    words = {"none": 0, "latest": 1, "all": ALL}
    if value not in words:
        raise ValueError(f"{value!r} must be 'latest', 'all', 'none' or a number")
    return words[value]


def condition(value: Any) -> Callable[[ConditionTime], object]:
    """A function that says whether an occurrence fires."""
    if not callable(value):
        raise ValueError(f"{value!r} cannot be called; write a function of the occurrence")
    # An object may be called too, and so may a function with some of its arguments filled in.
    if _is_always_true(value) or _is_always_true(getattr(value, "__call__", None)):  # noqa: B004
        name = getattr(value, "__name__", repr(value))
        raise ValueError(
            f"{name} is an async function or a generator, so its return value is always true; "
            "write a plain function"
        )
    function: Callable[[ConditionTime], object] = value
    return function


def _is_always_true(function: object) -> bool:
    """Whether a call returns a coroutine or a generator, which is true whatever is in it."""
    kinds = (
        inspect.iscoroutinefunction,
        inspect.isasyncgenfunction,
        inspect.isgeneratorfunction,
    )
    return any(is_kind(function) for is_kind in kinds)


def as_written(value: Any) -> Any:
    """Any value; the period's parser checks it."""
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else value
