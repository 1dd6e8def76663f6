"""A rule: a recurrence as it is written, before it knows its zone.

``every("day", at="09:30")`` gives a rule; with the zone of its event it becomes a recurrence.
``str(rule)`` is its canonical spelling: two rules that mean the same by notation spell the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Protocol

from clock.errors import RecurrenceError
from clock.recurrence.at import At, parse_at
from clock.recurrence.cron import Seconds, parse_cron
from clock.recurrence.days import ANCHOR, EPOCH, Days, EveryDays, MonthDays, WeekDays, weekday
from clock.recurrence.elapsed import Elapsed
from clock.recurrence.on import merge_rules, parse_on
from clock.recurrence.period import WEEKDAYS, Calendar, Span
from clock.recurrence.recurrence import Recurrence
from clock.recurrence.union import Union
from clock.recurrence.wall import DAY, Fold, Gap, Wall
from clock.recurrence.zone import Zone

Anchor = date | datetime


class Rule(Protocol):
    """A recurrence as written. Equal rules with equal zones give one shared recurrence."""

    def recurrence(self, zone: Zone, gap: Gap, fold: Fold) -> Recurrence:
        """The rule in a zone; raises RecurrenceError where it can never fire."""
        ...


@dataclass(frozen=True, slots=True)
class SpanRule:
    """Every so many seconds of real time, on a grid through ``anchor`` or 2001-01-01 local."""

    span: Span
    anchor: Anchor | None = None

    def recurrence(self, zone: Zone, gap: Gap, fold: Fold) -> Recurrence:
        return _elapsed(self.span.seconds, _instant(self.anchor, zone))

    def __str__(self) -> str:
        return f"{_spell_seconds(self.span.seconds)}{_spell_anchor(self.anchor)}"


@dataclass(frozen=True, slots=True)
class CronRule:
    """A cron expression, single spaces in ``text``; ``seconds`` says where the sixth field is."""

    text: str
    seconds: Seconds | None = None

    def recurrence(self, zone: Zone, gap: Gap, fold: Fold) -> Recurrence:
        return _cron(self, zone, gap, fold)

    def __str__(self) -> str:
        return f"cron {self.text}" + (f" (seconds {self.seconds})" if self.seconds else "")


@dataclass(frozen=True, slots=True)
class CalendarRule:
    """Calendar units with their times of day and days of the month, as read."""

    calendar: Calendar
    at: tuple[At, ...] = ()
    on: tuple[int | str, ...] = ()
    anchor: Anchor | None = None

    def recurrence(self, zone: Zone, gap: Gap, fold: Fold) -> Recurrence:
        return _calendar(self, zone, gap, fold)

    def __str__(self) -> str:
        unit, count = self.calendar.unit, self.calendar.count
        if self.calendar.weekdays:
            words = _spell_weekdays(self.calendar.weekdays)
        else:
            words = unit if count == 1 else f"{count} {unit}s"
        if self.on:
            words += f" on {', '.join(str(each) for each in self.on)}"
        if self.at:
            words += f" at {', '.join(each.text for each in self.at)}"
        return words + _spell_anchor(self.anchor)


def calendar_rule(
    calendar: Calendar,
    *,
    at: str | Sequence[str] | None = None,
    on: int | str | Sequence[int | str] | None = None,
    anchor: Anchor | None = None,
) -> CalendarRule:
    """Join a calendar unit with its ``at=``, ``on=`` and ``anchor=``.

    Raises RecurrenceError for a combination that does not fit, and says what to write instead.
    """
    patterns = tuple(parse_at(each) for each in ([at] if isinstance(at, str) else at or ()))
    days = tuple([on] if isinstance(on, int | str) else on or ())
    rule = CalendarRule(calendar, patterns, days, anchor)
    if at is not None and not patterns:
        raise RecurrenceError("at= is an empty list; leave it out or write a time")
    for pattern in patterns:
        _check_at(calendar, pattern)
    if days and calendar.unit not in {"month", "year"}:
        raise RecurrenceError(f"on= goes with 'month' and 'year', not with {_unit(calendar)!r}")
    for day in days:
        named = parse_on(day)
        if named.month is not None and calendar.unit != "year":
            raise RecurrenceError(f"on={day!r} names a month; write every('year', on={day!r})")
    if calendar.unit == "week" and not calendar.weekdays:
        _check_week(calendar, patterns, anchor)
    if anchor is not None and calendar.count == 1 and calendar.unit not in {"week", "year"}:
        raise RecurrenceError(
            f"anchor= has no meaning with {_unit(calendar)!r}; "
            "it goes with counted units, as '3 days'"
        )
    return rule


def _unit(calendar: Calendar) -> str:
    if calendar.weekdays:
        return _spell_weekdays(calendar.weekdays)
    return calendar.unit if calendar.count == 1 else f"{calendar.count} {calendar.unit}s"


def _check_at(calendar: Calendar, at: At) -> None:
    unit, time = calendar.unit, at.text.split()[-1]
    if at.weekday is not None and unit != "week":
        raise RecurrenceError(
            f"at={at.text!r} names a weekday; write every({WEEKDAYS[at.weekday]!r}, at={time!r})"
        )
    if at.weekday is not None and calendar.weekdays:
        raise RecurrenceError(
            f"at={at.text!r} names a weekday, and so does {_unit(calendar)!r}; write at={time!r}"
        )
    if unit == "minute" and not at.any_minute:
        instead = "hour" if at.any_hour else "day"
        raise RecurrenceError(
            f"at={at.text!r} does not come every minute; write every({instead!r}, at={time!r})"
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
            f"or give the times of {_unit(calendar)!r} without a star"
        )


def _check_week(calendar: Calendar, patterns: tuple[At, ...], anchor: Anchor | None) -> None:
    if anchor is not None:
        return
    for pattern in patterns or (None,):
        if pattern is None or pattern.weekday is None:
            time = "09:00" if pattern is None else pattern.text
            raise RecurrenceError(
                f"{_unit(calendar)!r} without a weekday; "
                f"write every({_unit(calendar)!r}, at='Monday {time}')"
            )


@lru_cache(maxsize=4096)
def _elapsed(period: int, anchor: int) -> Recurrence:
    return Elapsed(period=period, anchor=anchor % period)


@lru_cache(maxsize=4096)
def _cron(rule: CronRule, zone: Zone, gap: Gap, fold: Fold) -> Recurrence:
    fields = parse_cron(rule.text, rule.seconds)
    days: Days
    if fields.every_day and len(fields.months) == 12:
        days = EveryDays()
    else:
        days = MonthDays(fields.days, fields.months)
        if days.next(ANCHOR) is None:
            raise RecurrenceError(f"cron({rule.text!r}) never fires: no year has such a day")
    times = [
        h * 3600 + m * 60 + s for h in fields.hours for m in fields.minutes for s in fields.seconds
    ]
    return Wall(
        days=days,
        seconds=_compact(times),
        zone=zone,
        gap=gap,
        fold=fold,
        follows_real_time=fields.follows_real_time,
    )


@lru_cache(maxsize=4096)
def _calendar(rule: CalendarRule, zone: Zone, gap: Gap, fold: Fold) -> Recurrence:
    parts: dict[tuple[bool, Days], list[int]] = {}
    for pattern in rule.at or (_default_at(rule.calendar),):
        days = _days(rule, pattern.weekday)
        if days.next(ANCHOR) is None:
            raise RecurrenceError(f"{str(rule)!r} never fires: no year has such a day")
        parts.setdefault((pattern.leading_star, days), []).extend(pattern.seconds)
    walls = tuple(
        Wall(
            days=days,
            seconds=_compact(sorted(set(seconds))),
            zone=zone,
            gap=gap,
            fold=fold,
            follows_real_time=leading_star,
        )
        for (leading_star, days), seconds in parts.items()
    )
    return walls[0] if len(walls) == 1 else Union(walls)


def _default_at(calendar: Calendar) -> At:
    return parse_at({"minute": "**:**", "hour": "**:00"}.get(calendar.unit, "00:00"))


def _days(rule: CalendarRule, at_weekday: int | None) -> Days:
    calendar = rule.calendar
    anchor = ANCHOR if rule.anchor is None else _day(rule.anchor)
    if calendar.unit in {"minute", "hour"}:
        return EveryDays()
    if calendar.unit == "day":
        return EveryDays(calendar.count, anchor % calendar.count)
    if calendar.unit == "week":
        weekdays = calendar.weekdays or ((weekday(anchor) if at_weekday is None else at_weekday),)
        return WeekDays(weekdays, calendar.count, anchor)
    if calendar.unit == "month":
        picked = merge_rules(parse_on(each).rule for each in rule.on or (1,))
        return MonthDays(picked, count=calendar.count, anchor=_month(anchor))
    return _year_days(rule, anchor)


def _year_days(rule: CalendarRule, anchor: int) -> Days:
    named = [parse_on(each) for each in rule.on or (1,)]
    default_month = _month(anchor) % 12 + 1
    months = {each.month or default_month for each in named}
    if len(months) > 1:
        raise RecurrenceError(
            f"{str(rule)!r} names several months; declare one event for each, or use cron(...)"
        )
    month = months.pop()
    year = _month(anchor) // 12
    return MonthDays(
        merge_rules(each.rule for each in named),
        months=frozenset({month}),
        count=12 * rule.calendar.count,
        anchor=year * 12 + month - 1,
    )


def _month(day: int) -> int:
    at = date.fromordinal(day + EPOCH)
    return at.year * 12 + at.month - 1


def _day(anchor: Anchor) -> int:
    return anchor.toordinal() - EPOCH


def _instant(anchor: Anchor | None, zone: Zone) -> int:
    if isinstance(anchor, datetime):
        return int(anchor.timestamp())
    return zone.instant((ANCHOR if anchor is None else _day(anchor)) * DAY)


def _compact(times: Sequence[int]) -> Sequence[int]:
    """The same ascending times as a range where they are evenly spaced; it takes no room."""
    if len(times) == 1:
        return tuple(times)
    step = times[1] - times[0]
    even = range(times[0], times[-1] + 1, step)
    return even if list(even) == list(times) else tuple(times)


def _spell_seconds(seconds: int) -> str:
    for unit, length in (("hour", 3600), ("minute", 60), ("second", 1)):
        count, rest = divmod(seconds, length)
        if rest == 0:
            return f"{count} {unit}" + ("s" if count > 1 else "")
    raise AssertionError("every whole number is a number of seconds")


def _spell_weekdays(weekdays: tuple[int, ...]) -> str:
    return {5: "weekday", 2: "weekend"}.get(len(weekdays)) or WEEKDAYS[weekdays[0]]


def _spell_anchor(anchor: Anchor | None) -> str:
    return "" if anchor is None else f" from {anchor.isoformat()}"
