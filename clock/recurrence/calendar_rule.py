"""Calendar units as a rule: days, weeks, months and years with their times and days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clock.errors import RecurrenceError
from clock.recurrence.anchor import Anchor, spell_anchor
from clock.recurrence.at import At, Written, is_bare_hour, parse_at
from clock.recurrence.business import BusinessDays
from clock.recurrence.calendar_days import days_of
from clock.recurrence.dates import DateSet
from clock.recurrence.days import ANCHOR, Days
from clock.recurrence.on import On, parse_on
from clock.recurrence.period import Calendar
from clock.recurrence.recurrence import Recurrence
from clock.recurrence.rule import Rule
from clock.recurrence.union import Union
from clock.recurrence.wall import Fold, Gap, Wall, even_or_all
from clock.recurrence.weekdays import WEEKDAYS, spell_weekdays
from clock.recurrence.zone import Zone

_DEFAULT_AT = {"minute": "**:**", "hour": "**:00"}


@dataclass(frozen=True, slots=True)
class CalendarRule(Rule):
    """Calendar units with their times of day and days of the month, as read, in order."""

    calendar: Calendar
    at: tuple[At, ...] = ()
    on: tuple[On, ...] = ()
    anchor: Anchor | None = None
    off: DateSet | None = None
    """The dates that are not business days."""

    def make(self, zone: Zone, gap: Gap, fold: Fold) -> Recurrence:
        parts: dict[tuple[bool, Days], set[int]] = {}
        off = frozenset[int]() if self.off is None else self.off.days
        for time in self.at or (parse_at(_DEFAULT_AT.get(self.calendar.unit, "00:00")),):
            for days in days_of(self.calendar, self.on, self.anchor, off, time.weekday):
                parts.setdefault((time.leading_star, days), set()).update(_seconds(self, time))
        if all(days.next(ANCHOR) is None for _, days in parts):
            raise RecurrenceError(f"{str(self)!r} never fires: no year has such a day")
        walls = tuple(
            Wall(
                days=days,
                seconds=even_or_all(sorted(seconds)),
                zone=zone,
                gap="after" if leading_star else gap,
                fold="first" if leading_star else fold,
                follows_real_time=leading_star,
            )
            for (leading_star, days), seconds in parts.items()
        )
        return walls[0] if len(walls) == 1 else Union(walls)

    @property
    def has_business_days(self) -> bool:
        """Whether one of its days is a business day."""
        return any(isinstance(day.rule, BusinessDays) for day in self.on)

    @property
    def has_only_business_days(self) -> bool:
        """Whether each of its days is a business day."""
        return bool(self.on) and all(isinstance(day.rule, BusinessDays) for day in self.on)

    def __str__(self) -> str:
        words = spell_unit(self.calendar)
        if self.on:
            words += f" on {', '.join(day.text for day in self.on)}"
        if self.at:
            words += f" at {', '.join(time.text for time in self.at)}"
        words += spell_anchor(self.anchor)
        return words if self.off is None else f"{words} except {self.off}"


def calendar_rule(
    calendar: Calendar,
    *,
    at: Written | Sequence[Written] | None = None,
    on: int | str | Sequence[int | str] | None = None,
    anchor: Anchor | None = None,
) -> CalendarRule:
    """Join a calendar unit with its ``at=``, ``on=`` and ``anchor=``.

    Raises RecurrenceError for a combination that does not fit, and says what to write instead.
    """
    for option, value in (("at", at), ("on", on)):
        if value is not None and not isinstance(value, int) and not value:
            raise RecurrenceError(f"{option}= is empty; leave it out or write at least one")
    times = {_parse_time(time, calendar) for time in _listed(at)}
    days = {parse_on(day) for day in ([on] if isinstance(on, int | str) else on or ())}
    for time in sorted(times, key=_order):
        _check_at(calendar, time)
    for day in sorted(days, key=lambda on: on.text):
        _check_on(calendar, day)
    if calendar.unit == "week" and not calendar.weekdays and anchor is None:
        _check_week(calendar, times)
    if anchor is not None and calendar.unit == "hour" and calendar.count > 1:
        raise RecurrenceError(
            f"anchor= does not go with {spell_unit(calendar)!r} and at=, counted from midnight"
        )
    if (
        anchor is not None
        and calendar.count == 1
        and calendar.unit not in {"week", "quarter", "year"}
    ):
        raise RecurrenceError(
            f"anchor= has no meaning with {spell_unit(calendar)!r}; "
            "it goes with counted units, as '3 days'"
        )
    return CalendarRule(
        calendar,
        tuple(sorted(times, key=_order)),
        tuple(sorted(days, key=lambda day: (day.month or 0, day.order, day.text))),
        anchor,
    )


def hours_of_day(seconds: int) -> int | None:
    """The hours of a span that divides a day, as ``"3 hours"``, which may have an ``at=`` then."""
    hours, rest = divmod(seconds, 3600)
    return hours if rest == 0 and hours > 1 and hours < 24 and 24 % hours == 0 else None


def spell_unit(calendar: Calendar) -> str:
    """A calendar unit as ``every`` takes it: ``"day"``, ``"2 weeks"``, ``"monday"``."""
    if calendar.weekdays:
        return spell_weekdays(calendar.weekdays)
    return calendar.unit if calendar.count == 1 else f"{calendar.count} {calendar.unit}s"


def _listed(at: Written | Sequence[Written] | None) -> Sequence[Written]:
    if at is None:
        return ()
    return at if isinstance(at, Sequence) and not isinstance(at, str) else [at]


def _parse_time(written: Written, calendar: Calendar) -> At:
    time = parse_at(written)
    if calendar.unit in {"minute", "hour"} and is_bare_hour(written):
        raise RecurrenceError(
            f"at={written!r} is the hour {time.text}; for a minute write "
            f"every({spell_unit(calendar)!r}, at='**:{time.text[:2]}')"
        )
    return time


def _order(time: At) -> tuple[int, int, str]:
    return (-1 if time.weekday is None else time.weekday, time.seconds[0], time.text)


def _check_at(calendar: Calendar, at: At) -> None:
    unit, time = calendar.unit, at.text.split()[-1]
    words = spell_unit(calendar)
    if at.weekday is not None and unit != "week":
        raise RecurrenceError(
            f"at={at.text!r} names a weekday; write every({WEEKDAYS[at.weekday]!r}, at={time!r})"
        )
    if at.weekday is not None and calendar.weekdays:
        raise RecurrenceError(
            f"at={at.text!r} names a weekday, and so does {words!r}; write at={time!r}"
        )
    if unit == "minute" and not at.any_minute:
        instead = "hour" if at.any_hour else "day"
        raise RecurrenceError(
            f"at={at.text!r} does not come every minute; write every({instead!r}, at={time!r})"
        )
    if unit == "hour" and calendar.count > 1 and not at.every_hour:
        raise RecurrenceError(
            f"at={at.text!r} does not go with {words!r}, counted from midnight; "
            f"write at='**{time[2:]}', or every('day', at={time!r})"
        )
    if unit == "hour" and (at.any_minute or not at.any_hour):
        instead = "minute" if at.any_minute else "day"
        raise RecurrenceError(
            f"at={at.text!r} is not once in an hour; write every({instead!r}, at={time!r})"
        )
    if unit not in {"minute", "hour"} and (at.any_hour or at.any_minute):
        instead = "minute" if at.any_minute else "hour"
        raise RecurrenceError(
            f"at={at.text!r} is more than once in a day; write every({instead!r}, at={time!r}) "
            f"or give the times of {words!r} without a star"
        )


def _check_on(calendar: Calendar, on: On) -> None:
    if calendar.unit not in {"month", "quarter", "year"}:
        raise RecurrenceError(
            f"on={on.text!r} goes with 'month', 'quarter' and 'year', "
            f"not with {spell_unit(calendar)!r}"
        )
    if on.month is not None and calendar.unit != "year":
        raise RecurrenceError(f"on={on.text!r} names a month; write every('year', on={on.text!r})")


def _check_week(calendar: Calendar, times: set[At]) -> None:
    words = spell_unit(calendar)
    if not times:
        raise RecurrenceError(
            f"{words!r} without a weekday; write every({words!r}, at='Monday 09:00')"
        )
    for time in sorted(times, key=_order):
        if time.weekday is None:
            raise RecurrenceError(
                f"{words!r} without a weekday; write every({words!r}, at='Monday {time.text}')"
            )


def _seconds(rule: CalendarRule, time: At) -> Iterable[int]:
    """The times of day of one pattern; of several hours, those counted from midnight."""
    if rule.calendar.unit != "hour":
        return time.seconds
    return (second for second in time.seconds if second // 3600 % rule.calendar.count == 0)
