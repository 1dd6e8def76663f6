"""Cron notation as a rule: the days and times of an expression, on the local clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from clock.errors import RecurrenceError
from clock.recurrence.cron import CronFields, Seconds, parse_cron
from clock.recurrence.dates import DateSet
from clock.recurrence.days import ANCHOR, DayRule, Days, EveryDays, MonthDays, WeekDays
from clock.recurrence.recurrence import Recurrence
from clock.recurrence.rule import Given
from clock.recurrence.union import Union
from clock.recurrence.wall import Fold, Gap, Wall, even_or_all
from clock.recurrence.zone import Zone


@dataclass(frozen=True, slots=True)
class CronRule(Given):
    """A cron expression, single spaces in ``text``; ``seconds`` says where the sixth field is."""

    word: ClassVar[str] = "cron"

    text: str
    seconds: Seconds | None = None
    off: DateSet | None = None
    """The dates that are not business days."""

    def make(self, zone: Zone, gap: Gap, fold: Fold) -> Recurrence:
        fields = parse_cron(self.text, self.seconds)
        walls = tuple(
            Wall(
                days=days,
                seconds=_times(fields),
                zone=zone,
                gap="after" if fields.follows_real_time else gap,
                fold="first" if fields.follows_real_time else fold,
                follows_real_time=fields.follows_real_time,
            )
            for days in _days(fields, frozenset() if self.off is None else self.off.days)
        )
        if all(wall.days.next(ANCHOR) is None for wall in walls):
            raise RecurrenceError(f"cron({self.text!r}) never fires: no year has such a day")
        return walls[0] if len(walls) == 1 else Union(walls)

    @property
    def has_business_days(self) -> bool:
        """Whether one of its days is a business day."""
        return parse_cron(self.text, self.seconds).business is not None

    @property
    def has_only_business_days(self) -> bool:
        """Whether each of its days is a business day."""
        return self.has_business_days and parse_cron(self.text, self.seconds).days == DayRule()

    def __str__(self) -> str:
        words = f"cron {self.text}" + (f" (seconds {self.seconds})" if self.seconds else "")
        return words if self.off is None else f"{words} except {self.off}"


def cron(expression: str, *, seconds: Seconds | None = None) -> CronRule:
    """A period in cron notation: five fields, or six with ``seconds="first"`` or ``"last"``.

    Raises RecurrenceError, quoting the word that is wrong.
    """
    parse_cron(expression, seconds)
    return CronRule(" ".join(expression.lower().split()), seconds)


def _days(fields: CronFields, off: frozenset[int]) -> Iterator[Days]:
    if fields.business is not None:
        yield replace(fields.business, off=off)
        if fields.days == DayRule():
            return
    if len(fields.months) == 12 and fields.every_day:
        yield EveryDays(1, 0)
    elif len(fields.months) == 12 and fields.every_date and not fields.days.nth:
        yield WeekDays(tuple(sorted(fields.days.weekdays)), 1, ANCHOR % 7)
    else:
        yield MonthDays(fields.days, fields.months, anchor=0)


def _times(fields: CronFields) -> Sequence[int]:
    return even_or_all(
        [
            h * 3600 + m * 60 + s
            for h in fields.hours
            for m in fields.minutes
            for s in fields.seconds
        ]
    )
