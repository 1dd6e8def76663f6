"""Sets of dates: which days a calendar recurrence falls on.

A day is its number since 1970-01-01 (a Thursday) in the proleptic Gregorian calendar. Every set
answers one question, ``next(day)``: the first of its days that is not before ``day``, or ``None``
where there is none before the year 10000.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Protocol

from clock.recurrence.tags import Tags

EPOCH = date(1970, 1, 1).toordinal()
LAST_DAY = date(9999, 12, 31).toordinal() - EPOCH
ANCHOR = date(2001, 1, 1).toordinal() - EPOCH
"""2001-01-01, a Monday: where counted units are counted from unless the event says otherwise."""

MONTHS_SEARCHED = 4_800
"""The Gregorian calendar repeats itself, weekdays included, after 400 years; what has not come in
as many months never comes."""


def weekday(day: int) -> int:
    """The weekday of a day number: Monday is 0, Sunday 6."""
    return (day + 3) % 7


class Days(Protocol):
    """A set of dates."""

    def next(self, day: int) -> int | None:
        """The first day of the set at or after ``day``, or None."""
        ...

    def how_many(self, first: int, last: int) -> int:
        """How many days of the set lie from ``first`` to ``last``, both included."""
        ...


@dataclass(frozen=True, slots=True)
class EveryDays:
    """Every ``count``-th day, counted from ``anchor``, in both directions."""

    tags: ClassVar = Tags("EveryDays", count="count", anchor="anchor")

    count: int = 1
    anchor: int = ANCHOR

    def next(self, day: int) -> int | None:
        following = day + (self.anchor - day) % self.count
        return following if following <= LAST_DAY else None

    def how_many(self, first: int, last: int) -> int:
        last = min(last, LAST_DAY)
        if last < first:
            return 0
        return (last - self.anchor) // self.count - (first - 1 - self.anchor) // self.count


@dataclass(frozen=True, slots=True)
class WeekDays:
    """Some weekdays of every ``count``-th week, from the week of ``anchor``; Monday begins one."""

    tags: ClassVar = Tags("WeekDays", weekdays="weekdays", count="count", anchor="anchor")

    weekdays: tuple[int, ...]
    count: int = 1
    anchor: int = ANCHOR

    def next(self, day: int) -> int | None:
        monday = day - weekday(day)
        if (monday - self._first_monday()) % (7 * self.count) == 0:
            for number in self.weekdays:
                if monday + number >= day:
                    return _within(monday + number)
        later = monday + 7
        later += (self._first_monday() - later) % (7 * self.count)
        return _within(later + self.weekdays[0])

    def how_many(self, first: int, last: int) -> int:
        last = min(last, LAST_DAY)
        return self._up_to(last) - self._up_to(first - 1) if first <= last else 0

    def _up_to(self, day: int) -> int:
        """How many lie from the first Monday to ``day``; negative before it."""
        rounds, behind = divmod(day - self._first_monday(), 7 * self.count)
        return rounds * len(self.weekdays) + sum(
            1 for weekday in self.weekdays if weekday <= behind
        )

    def _first_monday(self) -> int:
        return self.anchor - weekday(self.anchor)


@dataclass(frozen=True, slots=True)
class ListedDays:
    """Days by their numbers."""

    tags: ClassVar = Tags("ListedDays", days="days")

    days: frozenset[int]
    _ascending: list[int] = field(default_factory=list, compare=False, repr=False)

    def next(self, day: int) -> int | None:
        ascending = self._sorted()
        position = bisect_left(ascending, day)
        return ascending[position] if position < len(ascending) else None

    def how_many(self, first: int, last: int) -> int:
        ascending = self._sorted()
        return max(bisect_right(ascending, last) - bisect_left(ascending, first), 0)

    def _sorted(self) -> list[int]:
        if not self._ascending:
            self._ascending.extend(sorted(self.days))
        return self._ascending


@dataclass(frozen=True, slots=True)
class DayRule:
    """The days of one month, by number, from its end, by weekday, or by the n-th weekday.

    ``days`` are numbers from 1, ``before_end`` distances from the last day (0 is the last day
    itself), ``weekdays`` Monday 0 to Sunday 6, ``nth`` pairs of a weekday and its number in the
    month, 1 to 5, or -1 for the last one. With ``both`` a day must satisfy the first two *and* the
    last two, else one of the four is enough.
    """

    tags: ClassVar = Tags(
        "DayRule", days="days", before_end="before_end", weekdays="weekdays", nth="nth", both="both"
    )

    days: frozenset[int] = frozenset()
    before_end: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    nth: frozenset[tuple[int, int]] = frozenset()
    both: bool = False

    def matches(self, day: int, length: int, first_weekday: int) -> bool:
        """Whether ``day``, from 1, belongs in a month of that length and first weekday."""
        falls_on = (first_weekday + day - 1) % 7
        by_number = day in self.days or length - day in self.before_end
        by_weekday = (
            falls_on in self.weekdays
            or (falls_on, (day + 6) // 7) in self.nth
            or ((falls_on, -1) in self.nth and day + 7 > length)
        )
        return (by_number and by_weekday) if self.both else (by_number or by_weekday)


@dataclass(frozen=True, slots=True)
class MonthDays:
    """The days a :class:`DayRule` picks, in some months of the year, in every ``count``-th month.

    ``anchor`` is a month's number, ``year * 12 + month - 1``, from which months are counted.
    """

    tags: ClassVar = Tags("MonthDays", rule="rule", months="months", count="count", anchor="anchor")

    rule: DayRule
    months: frozenset[int] = frozenset(range(1, 13))
    count: int = 1
    anchor: int = 0
    # A month has one of 28 shapes (length and first weekday), so the days of each are found once.
    _shapes: dict[tuple[int, int], list[int]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def next(self, day: int) -> int | None:
        if day > LAST_DAY:
            return None
        from_date = date.fromordinal(max(day + EPOCH, 1))
        here = from_date.year * 12 + from_date.month - 1
        month = here + (self.anchor - here) % self.count
        from_day = from_date.day if month == here else 1
        for _ in range(MONTHS_SEARCHED):
            year, index = divmod(month, 12)
            if year > date.max.year:
                return None
            if index + 1 in self.months:
                first = date(year, index + 1, 1).toordinal() - EPOCH
                days = self._days(month_length(year, index + 1), weekday(first))
                position = bisect_left(days, from_day)
                if position < len(days):
                    return first + days[position] - 1
            month += self.count
            from_day = 1
        return None

    def how_many(self, first: int, last: int) -> int:
        count, day = 0, self.next(first)
        while day is not None and day <= last:
            begin = date.fromordinal(day + EPOCH).replace(day=1)
            length, first_of_month = (
                month_length(begin.year, begin.month),
                begin.toordinal() - EPOCH,
            )
            days = self._days(length, weekday(first_of_month))
            count += bisect_right(days, last - first_of_month + 1)
            count -= bisect_left(days, day - first_of_month + 1)
            day = self.next(first_of_month + length)
        return count

    def _days(self, length: int, first_weekday: int) -> list[int]:
        shape = (length, first_weekday)
        if shape not in self._shapes:
            self._shapes[shape] = [
                day for day in range(1, length + 1) if self.rule.matches(day, length, first_weekday)
            ]
        return self._shapes[shape]


def _within(day: int) -> int | None:
    return day if day <= LAST_DAY else None


def month_length(year: int, month: int) -> int:
    """The number of days of a month, 1 to 12."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in {4, 6, 9, 11} else 31
