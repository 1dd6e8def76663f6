"""Except: a recurrence without the occurrences of another, or without some days."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from clock.errors import RecurrenceError
from clock.recurrence.calendar_rule import CalendarRule
from clock.recurrence.cron_rule import CronRule
from clock.recurrence.dates import Dates, DateSet
from clock.recurrence.days import ANCHOR
from clock.recurrence.recurrence import Recurrence
from clock.recurrence.rule import Rule, spell_part
from clock.recurrence.tags import Tags
from clock.recurrence.wall import DAY, Fold, Gap
from clock.recurrence.zone import Zone

INSTANTS_SEARCHED = 100_000
"""A search gives up after this many excluded occurrences in a row."""

DAYS_SEARCHED = 40 * 366
"""A search gives up after this many excluded days in a row."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Fires when ``kept`` does, except at an instant at which ``taken`` does too."""

    tags: ClassVar = Tags("Difference", kept="kept", taken="taken")

    kept: Recurrence
    taken: Recurrence

    def next(self, after: int) -> int | None:
        """Raises RecurrenceError where ``INSTANTS_SEARCHED`` in a row are excluded."""
        following = self.kept.next(after)
        for _ in range(INSTANTS_SEARCHED):
            if following is None or self.taken.next(following - 1) != following:
                return following
            following = self.kept.next(following)
        raise RecurrenceError(
            f"nothing is left: {INSTANTS_SEARCHED} occurrences in a row are excluded by '-'"
        )

    def is_moved(self, instant: int) -> bool:
        return self.kept.is_moved(instant)


@dataclass(frozen=True, slots=True)
class DaysOff:
    """Fires when ``kept`` does, except on local days that are among ``dates``."""

    tags: ClassVar = Tags("DaysOff", kept="kept", dates="dates", zone="zone")

    kept: Recurrence
    dates: Dates
    zone: Zone

    def next(self, after: int) -> int | None:
        """Raises RecurrenceError where ``DAYS_SEARCHED`` in a row are excluded."""
        following = self.kept.next(after)
        for _ in range(DAYS_SEARCHED):
            if following is None:
                return None
            day = (following + self.zone.offset(following)) // DAY
            if not self.dates.has(day):
                return following
            # A zone that goes back over midnight shows the end of a day again, after its first end.
            following = self.kept.next(max(following, self.zone.instant((day + 1) * DAY) - 1))
        raise RecurrenceError(f"nothing is left: {DAYS_SEARCHED} days in a row are excluded by '-'")

    def is_moved(self, instant: int) -> bool:
        return self.kept.is_moved(instant)


@dataclass(frozen=True, slots=True)
class ExceptRule(Rule):
    """``a - b``: when the first is due, but not when, or not on the days that, the second is."""

    kept: Rule
    taken: Rule | Dates

    def make(self, zone: Zone, gap: Gap, fold: Fold) -> Recurrence:
        kept = self.kept.recurrence(zone, gap, fold)
        left: Recurrence
        if isinstance(self.taken, Dates):
            left = DaysOff(kept, self.taken, zone)
        else:
            left = Difference(kept, self.taken.recurrence(zone, gap, fold))
        check_something_is_left(self, kept, left)
        return left

    def __str__(self) -> str:
        return f"{spell_part(self.kept)} - {spell_part(self.taken)}"


def without_dates(rule: Rule, dates: Dates) -> Rule:
    """``rule`` without some days; those are not business days, where it has any.

    Raises RecurrenceError for a function of a date together with business days.
    """
    if not isinstance(rule, CalendarRule | CronRule) or not rule.has_business_days:
        return ExceptRule(rule, dates)
    if not isinstance(dates, DateSet):
        raise RecurrenceError(
            f"{str(rule)!r} is about business days, which a function of a date does not go with; "
            "write the dates as a set, or holidays(...)"
        )
    with_calendar = replace(rule, off=dates)
    # Its business days are none of the dates; only other days remain to be left out.
    return with_calendar if rule.has_only_business_days else ExceptRule(with_calendar, dates)


def check_something_is_left(rule: Rule, kept: Recurrence, left: Recurrence) -> None:
    """Raises RecurrenceError where ``rule``, as ``left``, never fires, but ``kept`` does."""
    try:
        if left.next(ANCHOR * DAY) is None and kept.next(ANCHOR * DAY) is not None:
            raise RecurrenceError("nothing is left")
    except RecurrenceError as error:
        # With a cause it is a function that failed for a day long past; it may know present ones.
        if error.__cause__ is None:
            raise RecurrenceError(f"{str(rule)!r} never fires: {error}") from None
