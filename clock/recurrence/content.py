"""Checks of the parts of a decoded recurrence: anyone may have written its text.

A recurrence that passes can be asked for its occurrences: it raises nothing but RecurrenceError,
and each answer is later than the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from itertools import pairwise
from typing import Any, TypeVar

from clock.recurrence.business import BusinessDays
from clock.recurrence.dates import DateSet
from clock.recurrence.days import DayRule, EveryDays, ListedDays, MonthDays, WeekDays
from clock.recurrence.wall import DAY
from clock.recurrence.zone import END, Zone

LARGEST = 2 * END
"""The largest number of a recurrence, on either side of 0: a span of all the time there is."""

Part = TypeVar("Part")


def check_parts(made: Part) -> Part:
    """``made``, one of the dataclasses of a recurrence. Raises ValueError if a field of it does not
    hold what it is annotated with.
    """
    for field in fields(made):  # type: ignore[arg-type]
        if field.name.startswith("_"):
            continue
        value = getattr(made, field.name)
        is_one = _BY_NAME.get(field.name) or _BY_TYPE[str(field.type)]
        if not is_one(value):
            raise ValueError(f"invalid {field.name!r} of {type(made).__name__}")
    return made


def checked_range(*bounds: Any) -> range:
    """A range of times of day, in seconds. Raises ValueError for any other range."""
    if not all(map(_is_whole, bounds)) or not _are_times(times := range(*bounds)):
        raise ValueError("not a range of times of day")
    return times


def _is_whole(value: Any) -> bool:
    return type(value) is int and abs(value) <= LARGEST


def _is_count(value: Any) -> bool:
    return _is_whole(value) and value >= 1


def _is_recurrence(value: Any) -> bool:
    return hasattr(value, "next") and hasattr(value, "is_moved")


def _are_times(value: Any) -> bool:
    """Times of day, ascending."""
    if not isinstance(value, (tuple, range)) or not 0 < len(value) <= DAY:
        return False
    is_inside = all(_is_whole(time) and 0 <= time < DAY for time in value)
    return is_inside and all(a < b for a, b in pairwise(value))


def _are_weekdays(value: Any) -> bool:
    return _are_times(value) and value[-1] < 7


def _are_wholes(value: Any) -> bool:
    return isinstance(value, frozenset) and all(map(_is_whole, value))


def _are_pairs(value: Any) -> bool:
    return isinstance(value, frozenset) and all(
        isinstance(pair, tuple) and len(pair) == 2 and all(map(_is_whole, pair)) for pair in value
    )


_BY_NAME: Mapping[str, Callable[[Any], bool]] = {"period": _is_count, "count": _is_count}

_BY_TYPE: Mapping[str, Callable[[Any], bool]] = {
    "int": _is_whole,
    "bool": lambda value: isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "Recurrence": _is_recurrence,
    "tuple[Recurrence, ...]": lambda value: (
        isinstance(value, tuple) and bool(value) and all(map(_is_recurrence, value))
    ),
    "Days": lambda value: isinstance(
        value, (EveryDays, WeekDays, ListedDays, MonthDays, BusinessDays)
    ),
    "DayRule": lambda value: isinstance(value, DayRule),
    "Dates": lambda value: isinstance(value, DateSet),
    "Zone": lambda value: isinstance(value, Zone),
    "Gap": lambda value: value in ("after", "shift", "skip"),
    "Fold": lambda value: value in ("first", "second", "both"),
    "Sequence[int]": _are_times,
    "tuple[int, ...]": _are_weekdays,
    "frozenset[int]": _are_wholes,
    "frozenset[tuple[int, int]]": _are_pairs,
}
