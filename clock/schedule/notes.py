"""Notes on an event: what its sentence does not say and may surprise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any

from clock.recurrence.calendar_rule import hours_of_day
from clock.recurrence.change import seams
from clock.recurrence.dates import function_name
from clock.recurrence.days import EPOCH, WeekDays, weekday
from clock.recurrence.elapsed import Elapsed, spell_seconds
from clock.schedule.event import Event, seconds

YEAR = 366 * 86_400
DAY = 86_400


def notes(event: Event, at: datetime) -> tuple[str, ...]:
    """The notes on ``event`` as of an instant, one sentence each, without a full stop."""
    return (
        *_moved_hours(event, at),
        *_weeks(event, at),
        *_jitter(event),
        *_condition(event),
    )


def moved_hours(event: Event, at: datetime) -> str | None:
    """That an interval of hours falls on other local hours after the next clock change."""
    return next(_moved_hours(event, at), None)


def parts_of(value: Any) -> Iterator[Any]:
    """A recurrence and all it is made of."""
    if isinstance(value, tuple):
        for item in value:
            yield from parts_of(item)
    elif is_dataclass(value) and not isinstance(value, type):
        yield value
        for field in fields(value):
            yield from parts_of(getattr(value, field.name))


def _moved_hours(event: Event, at: datetime) -> Iterator[str]:
    for part in parts_of(event.recurrence):
        if not isinstance(part, Elapsed):
            continue
        if (instead := _instead(part.period)) is None:
            continue
        start = seconds(at)
        for change, before, after in seams(event.zone, start, start + YEAR):
            day = event.local(change).date()
            hours = abs(after - before) / 3600
            yield (
                f"counts {spell_seconds(part.period)} of real time, so from {day} on it falls on "
                f"other local times, {hours:g} h {'later' if after > before else 'earlier'}; "
                f"write {instead} to keep them"
            )
            return


def _instead(period: int) -> str | None:
    hours = hours_of_day(period)
    if hours is not None:
        return f"every('{hours} hours', at='**:00')"
    if period % DAY == 0:
        return "every('day')" if period == DAY else f"every('{period // DAY} days')"
    return None


def _weeks(event: Event, at: datetime) -> Iterator[str]:
    for part in parts_of(event.recurrence):
        if isinstance(part, WeekDays) and part.count > 1:
            today = (seconds(at) + event.zone.offset(seconds(at))) // DAY
            day = part.next(today)
            if day is not None:
                monday = date.fromordinal(day - weekday(day) + EPOCH)
                yield (
                    f"fires in one of {part.count} weeks, next in that of Monday {monday}; "
                    "anchor= with a date of another week moves it"
                )


def _jitter(event: Event) -> Iterator[str]:
    if event.jitter:
        yield (
            f"fires up to {spell_seconds(event.jitter)} later, by a delay of each occurrence and "
            "application that every clock computes alike"
        )


def _condition(event: Event) -> Iterator[str]:
    if event.policy.condition is not None:
        yield f"fires only where its condition {function_name(event.policy.condition)} is met"
