"""The checks of the options that narrow a period: ``between=``, ``days=``, ``except_=``.

All raise ValueError with one sentence.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import date
from typing import Any, NamedTuple

from clock.recurrence.at import parse_at
from clock.recurrence.dates import DateFunction, Dates, DateSet, date_set
from clock.recurrence.days import ANCHOR, Days, ListedDays, WeekDays
from clock.recurrence.weekdays import parse_weekdays, spell_weekdays, unknown_weekday


class SomeDays(NamedTuple):
    """The days of ``days=``, and their tidy text."""

    days: Days
    text: str


def between(value: Any) -> tuple[int, int]:
    """Two times of day in seconds from midnight, from ``"09:00-13:30"`` or a pair."""
    ends = value.split("-") if isinstance(value, str) else value
    if not isinstance(ends, list | tuple) or len(ends) != 2:
        raise ValueError(f"{value!r} must be two times of day, as in '09:00-13:30'")
    first, last = (_time_of_day(end) for end in ends)
    if first == last:
        raise ValueError(f"{value!r} begins and ends at the same time")
    return first, last


def days(value: Any) -> SomeDays:
    """Weekdays in words, a list of them, or dates."""
    if isinstance(value, DateSet):
        return SomeDays(ListedDays(value.days), str(value))
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, Sequence | Set) or not items:
        raise ValueError(f"{value!r} must be weekdays, as in 'mon-fri', or a set of dates")
    if all(isinstance(item, date) for item in items):
        return days(date_set(items))
    numbers = set[int]()
    for item in items:
        weekdays = parse_weekdays(item) if isinstance(item, str) else None
        if weekdays is None:
            raise ValueError(unknown_weekday(item))
        numbers.update(weekdays)
    return SomeDays(WeekDays(tuple(sorted(numbers)), 1, ANCHOR % 7), spell_weekdays(numbers))


def days_off(value: Any) -> Dates:
    """Dates to leave out: ``holidays(...)``, a set or list of them, or a function of a date."""
    if isinstance(value, Dates):
        return value
    if isinstance(value, date):
        return date_set([value])
    if isinstance(value, Set | list | tuple):
        return date_set(value)
    if callable(value):
        return DateFunction(value)
    raise ValueError(
        f"{value!r} must be dates: a set of them, holidays('file.ics') or a function of a date; "
        "weekdays are given by days="
    )


def _time_of_day(end: Any) -> int:
    time = parse_at(end)
    if time.weekday is not None or len(time.seconds) != 1:
        raise ValueError(f"{end!r} must be one time of day, as in '09:00'")
    return time.seconds[0]
