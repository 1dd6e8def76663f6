"""The days of a calendar unit: from its count, its anchor and the days of ``on=``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby

from clock.recurrence.anchor import Anchor, anchor_day
from clock.recurrence.business import BusinessDays
from clock.recurrence.days import EPOCH, DayRule, Days, EveryDays, MonthDays, WeekDays, weekday
from clock.recurrence.on import On, merge_business, merge_rules, parse_on
from clock.recurrence.period import Calendar

EVERY_MONTH = frozenset(range(1, 13))


def days_of(
    calendar: Calendar,
    on: Sequence[On],
    anchor: Anchor | None,
    off: frozenset[int],
    at_weekday: int | None,
) -> Iterator[Days]:
    """The days of a unit in one or several sets. ``at_weekday`` is the one that a time names;
    ``off`` are the day numbers of dates that are not business days.
    """
    unit, count = calendar.unit, calendar.count
    first = anchor_day(anchor)
    if unit == "week":
        own = weekday(first) if at_weekday is None else at_weekday
        monday = (first - weekday(first)) % (7 * count)
        yield WeekDays(calendar.weekdays or (own,), count, monday)
    elif unit in {"month", "quarter", "year"}:
        days = on or (parse_on(_date(first).day),)
        for months, chosen in _by_months(calendar, days, _date(first)):
            step = {"month": count, "quarter": 1, "year": 12 * count}[unit]
            since = _month(first) if unit == "month" else _date(first).year * 12 + min(months) - 1
            yield from _of_months(chosen, months, step, since % step, off)
    else:
        yield EveryDays(count, first % count) if unit == "day" else EveryDays(1, 0)


def _by_months(
    calendar: Calendar, on: Iterable[On], first: date
) -> Iterator[tuple[frozenset[int], list[On]]]:
    """The days of ``on``, those together that lie in the same months."""

    def months(day: On) -> tuple[int, ...]:
        if calendar.unit == "year":
            return (day.month or first.month,)
        if calendar.unit == "quarter":
            # What is counted from the end is so from that of the quarter.
            begin = first.month + 1 if day.is_at_the_end else first.month - 1
            return tuple(sorted((begin + step) % 12 + 1 for step in (0, 3, 6, 9)))
        return tuple(EVERY_MONTH)

    for those, days in groupby(sorted(on, key=months), months):
        yield frozenset(those), list(days)


def _of_months(
    on: Sequence[On], months: frozenset[int], count: int, anchor: int, off: frozenset[int]
) -> Iterator[Days]:
    rules = [day.rule for day in on if isinstance(day.rule, DayRule)]
    if rules:
        yield MonthDays(merge_rules(rules), months=months, count=count, anchor=anchor)
    business = [day.rule for day in on if isinstance(day.rule, BusinessDays)]
    if business:
        merged = merge_business(business)
        yield replace(merged, months=months, count=count, anchor=anchor, off=off)


def _date(day: int) -> date:
    return date.fromordinal(day + EPOCH)


def _month(day: int) -> int:
    return _date(day).year * 12 + _date(day).month - 1
