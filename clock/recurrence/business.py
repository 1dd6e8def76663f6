"""Business days: the first, the n-th or the last weekday of a month, or the one nearest to a date.

A weekday is Monday to Friday, and none of the dates that are ``off``. The nearest one is that of
Quartz's ``W``: the one before a Saturday, the one after a Sunday, never in another month.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from clock.recurrence.days import EPOCH, LAST_DAY, MONTHS_SEARCHED, month_length, weekday
from clock.recurrence.tags import Tags

FRIDAY = 4


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """Business days in some months of the year, in every ``count``-th month.

    ``nth`` are their numbers in the month from 1, or -1 for the last one; ``nearest`` are days of
    the month, each standing for the business day nearest to it, the earlier of two. ``anchor`` is a
    month's number, ``year * 12 + month - 1``, from which months are counted; ``off`` are the day
    numbers of dates that are not business days.
    """

    tags: ClassVar = Tags(
        "BusinessDays",
        nth="nth",
        nearest="nearest",
        months="months",
        count="count",
        anchor="anchor",
        off="off",
    )

    nth: frozenset[int] = frozenset()
    nearest: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset(range(1, 13))
    count: int = 1
    anchor: int = 0
    off: frozenset[int] = frozenset()

    def next(self, day: int) -> int | None:
        """The first day of the set at or after ``day``, or None."""
        return next((number for number in self._from(day) if number >= day), None)

    def how_many(self, first: int, last: int) -> int:
        """How many days of the set lie from ``first`` to ``last``, both included."""
        many = 0
        for day in self._from(first):
            if day > last:
                break
            many += day >= first
        return many

    def _from(self, day: int) -> Iterator[int]:
        """The days of the set from the month of ``day`` on, in order."""
        if day > LAST_DAY:
            return
        begin = date.fromordinal(max(day + EPOCH, 1))
        month = begin.year * 12 + begin.month - 1
        month += (self.anchor - month) % self.count
        barren = 0
        while barren < MONTHS_SEARCHED and month < (date.max.year + 1) * 12:
            barren += 1
            if month % 12 + 1 in self.months:
                for number in self._of_month(month // 12, month % 12 + 1):
                    barren = 0
                    yield number
            month += self.count

    def _of_month(self, year: int, month: int) -> list[int]:
        first, length = date(year, month, 1).toordinal() - EPOCH, month_length(year, month)
        business = [
            day
            for day in range(first, first + length)
            if weekday(day) <= FRIDAY and day not in self.off
        ]
        chosen = {
            business[number - 1 if number > 0 else number]
            for number in self.nth
            if abs(number) <= len(business)
        }
        for number in self.nearest:
            if number <= length and business:
                chosen.add(min(business, key=lambda day: abs(day - (first + number - 1))))
        return sorted(chosen)
