"""The options of ``every`` and ``defaults``: their types, their checks, what becomes of them.

Every check takes the value as written and returns it as kept, or raises ValueError with one
sentence.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from clock.errors import RecurrenceError
from clock.recurrence.anchor import Anchor
from clock.recurrence.wall import Fold, Gap
from clock.recurrence.zone import Zone, zone
from clock.schedule.duration import parse_duration
from clock.schedule.event import ALL, Callback, ConditionTime, Overlap, RetryPolicy
from clock.schedule.task import task_name
from clock.suggest import nearest

if TYPE_CHECKING:
    from clock.recurrence.bounds import Bound

Duration = int | str | timedelta

MOST_CAUGHT_UP = 100_000
"""The highest number ``catch_up`` takes."""


class Defaults(TypedDict, total=False):
    """What may be said once for every event of a file."""

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
    gap: Gap
    fold: Fold
    spread: Duration
    enabled: bool
    catch_up: Literal["latest", "all", "none"] | int
    within: Duration
    overlap: Overlap
    stuck_after: Duration
    if_: Callable[[ConditionTime], object]


class EventOptionWords(Defaults, total=False):
    """What may be said of one event."""

    name: str
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    tz: Any
    at: str | Sequence[str]
    on: int | str | Sequence[int | str]
    anchor: date | str
    start: date | str
    until: date | str


def check_options(
    given: Mapping[str, Any], known: Mapping[str, Callable[[Any], Any]]
) -> dict[str, Any]:
    """``given`` with every value checked; raises ValueError, naming the first wrong option."""
    checked = {}
    for option, value in given.items():
        if option not in known:
            raise ValueError(_unknown(option, known))
        try:
            checked[option] = known[option](value)
        except RecurrenceError as error:
            raise ValueError(str(error)) from None
        except ValueError as error:
            raise ValueError(f"{option}=: {error}") from None
    return checked


def _unknown(option: str, known: Mapping[str, object]) -> str:
    if option == "tz":
        return "unknown option 'tz'; write timezone('...') for the whole file"
    if option in OPTIONS:
        return f"{option}= is said of each event in every(...), not of a whole file"
    near = nearest(option, known, likeness=0.5)
    if near:
        return f"unknown option {option!r}; did you mean {near!r}?"
    return f"unknown option {option!r}; the options are {', '.join(sorted(known))}"


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError(f"{value!r} is not a text of printable characters")
    if len(value) > 200:
        raise ValueError(f"a text of {len(value)} characters is too long; 200 are the most")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither True nor False")
    return value


def _limit(value: object) -> int:
    if value == -1:
        return -1
    return _at_least_a_second(value)


def _at_least_a_second(value: object) -> int:
    seconds = parse_duration(value)
    if seconds == 0:
        raise ValueError(f"{value!r} is no time at all; one second is the least")
    return seconds


def _keep(value: object) -> int:
    return -1 if value == -1 else parse_duration(value)


def _retry(value: Any) -> RetryPolicy:
    if isinstance(value, int) and not isinstance(value, bool):
        if not 1 <= value <= 1000:
            raise ValueError(
                f"{value!r} is not a number of tries from 1 to 1000; leave the option out for none"
            )
        return RetryPolicy(max=value)
    if all(hasattr(value, field) for field in ("max", "intervals", "enqueue_at_front")):
        return RetryPolicy(
            max=value.max, intervals=tuple(value.intervals), at_front=bool(value.enqueue_at_front)
        )
    raise ValueError(f"{value!r} is neither a number of tries nor rq.Retry(...)")


def _max_running(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 1000:
        raise ValueError(f"{value!r} is not a number of jobs from 1 to 1000")
    return value


def _callback(value: Any) -> Callback:
    if hasattr(value, "name") and hasattr(value, "timeout"):
        return Callback(name=task_name(value.name), timeout=int(value.timeout))
    return Callback(name=task_name(value))


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ValueError(f"{value!r} is not a dict with texts as keys")
    return dict(value)


def _meta(value: object) -> dict[str, Any]:
    meta = _mapping(value)
    if "clock" in meta:
        raise ValueError("the key 'clock' belongs to the clock; choose another")
    return meta


def _args(value: object) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{value!r} is not a list or tuple of arguments")
    return tuple(value)


def _zone(value: Any) -> Zone:
    # pytz names its zones in `zone`, zoneinfo in `key`.
    name = (
        value
        if isinstance(value, str)
        else getattr(value, "zone", None) or getattr(value, "key", None)
    )
    if not isinstance(name, str):
        raise ValueError(f"{value!r} is not a zone; write its name, as 'Europe/Berlin'")
    return zone(name)


def _date(value: object) -> Anchor | Bound:
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


def _one_of(*words: str) -> Callable[[object], str]:
    def check(value: object) -> str:
        if value not in words:
            raise ValueError(f"{value!r} is none of {', '.join(map(repr, words))}")
        return str(value)

    return check


def _catch_up(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        if not 1 <= value <= MOST_CAUGHT_UP:
            raise ValueError(f"{value!r} is not a number of occurrences from 1 to {MOST_CAUGHT_UP}")
        return value
    words = {"none": 0, "latest": 1, "all": ALL}
    if value not in words:
        raise ValueError(f"{value!r} is none of 'latest', 'all', 'none', nor a number")
    return words[value]


def _condition(value: Any) -> Callable[[ConditionTime], object]:
    if not callable(value):
        raise ValueError(f"{value!r} cannot be called; write a function of the occurrence")
    # An object may be called too, and so may a function with some of its arguments filled in.
    if _is_always_true(value) or _is_always_true(getattr(value, "__call__", None)):  # noqa: B004
        name = getattr(value, "__name__", repr(value))
        raise ValueError(
            f"{name} is an async function or a generator, so what it returns is always true; "
            "write a plain function"
        )
    condition: Callable[[ConditionTime], object] = value
    return condition


def _is_always_true(function: object) -> bool:
    """Whether a call returns a coroutine or a generator, which is true whatever is in it."""
    kinds = (
        inspect.iscoroutinefunction,
        inspect.isasyncgenfunction,
        inspect.isgeneratorfunction,
    )
    return any(is_kind(function) for is_kind in kinds)


def _as_written(value: Any) -> Any:
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else value


DEFAULTS: Mapping[str, Callable[[Any], Any]] = {
    "queue": _text,
    "timeout": _limit,
    "expires": _at_least_a_second,
    "retry": _retry,
    "result_ttl": _keep,
    "failure_ttl": _keep,
    "at_front": _flag,
    "meta": _meta,
    "description": _text,
    "on_success": _callback,
    "on_failure": _callback,
    "max_running": _max_running,
    "gap": _one_of("after", "shift", "skip"),
    "fold": _one_of("first", "second", "both"),
    "spread": _at_least_a_second,
    "enabled": _flag,
    "catch_up": _catch_up,
    "within": _at_least_a_second,
    "overlap": _one_of("allow", "skip", "replace"),
    "stuck_after": _at_least_a_second,
    "if_": _condition,
}
"""The options of ``defaults``, each with its check."""

OPTIONS: Mapping[str, Callable[[Any], Any]] = {
    **DEFAULTS,
    "name": _text,
    "args": _args,
    "kwargs": _mapping,
    "tz": _zone,
    "at": _as_written,
    "on": _as_written,
    "anchor": _date,
    "start": _date,
    "until": _date,
}
"""The options of ``every``, each with its check."""

check_zone = _zone
