"""Cron notation as a rule: the days and times of an expression, on the local clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from clock.errors import RecurrenceError
from clock.recurrence.cron import CronFields, Seconds, parse_cron
from clock.recurrence.days import ANCHOR, Days, EveryDays, MonthDays, WeekDays
from clock.recurrence.rule import Given
from clock.recurrence.wall import Fold, Gap, Wall, even_or_all
from clock.recurrence.zone import Zone


@dataclass(frozen=True, slots=True)
class CronRule(Given):
    """A cron expression, single spaces in ``text``; ``seconds`` says where the sixth field is."""

    word: ClassVar[str] = "cron"

    text: str
    seconds: Seconds | None = None

    def make(self, zone: Zone, gap: Gap, fold: Fold) -> Wall:
        fields = parse_cron(self.text, self.seconds)
        days = _days(fields)
        if days.next(ANCHOR) is None:
            raise RecurrenceError(f"cron({self.text!r}) never fires: no year has such a day")
        return Wall(
            days=days,
            seconds=_times(fields),
            zone=zone,
            gap="after" if fields.follows_real_time else gap,
            fold="first" if fields.follows_real_time else fold,
            follows_real_time=fields.follows_real_time,
        )

    def __str__(self) -> str:
        return f"cron {self.text}" + (f" (seconds {self.seconds})" if self.seconds else "")


def cron(expression: str, *, seconds: Seconds | None = None) -> CronRule:
    """A period in cron notation: five fields, or six with ``seconds="first"`` or ``"last"``.

    Raises RecurrenceError, quoting the word that is wrong.
    """
    parse_cron(expression, seconds)
    return CronRule(" ".join(expression.lower().split()), seconds)


def _days(fields: CronFields) -> Days:
    if len(fields.months) == 12 and fields.every_day:
        return EveryDays(1, 0)
    if len(fields.months) == 12 and fields.every_date and not fields.days.nth:
        return WeekDays(tuple(sorted(fields.days.weekdays)), 1, ANCHOR % 7)
    return MonthDays(fields.days, fields.months, anchor=0)


def _times(fields: CronFields) -> Sequence[int]:
    return even_or_all(
        [
            h * 3600 + m * 60 + s
            for h in fields.hours
            for m in fields.minutes
            for s in fields.seconds
        ]
    )
