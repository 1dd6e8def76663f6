"""The word for a period: ``"10 minutes"``, ``"1h30m"``, ``"day"``, ``"2 weeks"``, ``"monday"``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from clock.errors import RecurrenceError
from clock.recurrence.duration import LONGEST, UNIT_SECONDS, split_units
from clock.suggest import nearest

Unit = Literal["minute", "hour", "day", "week", "month", "year"]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SHORT_WEEKDAYS = {name[:3]: number for number, name in enumerate(WEEKDAYS)}

_ELAPSED = {word: seconds for word, seconds in UNIT_SECONDS.items() if seconds <= 3600}
_CALENDAR: dict[str, Unit] = {
    word: unit
    for unit in ("minute", "hour", "day", "week", "month", "year")
    for word in (unit, f"{unit}s")
}
_DAY_SETS = {"weekday": (0, 1, 2, 3, 4), "weekend": (5, 6)} | {
    name: (number,) for number, name in enumerate(WEEKDAYS)
}
_LONG = {word: "minute" for word, seconds in _ELAPSED.items() if seconds == 60} | {
    word: "hour" for word, seconds in _ELAPSED.items() if seconds == 3600
}


@dataclass(frozen=True, slots=True)
class Span:
    """An elapsed interval: whole seconds of real time, at least one."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """``count`` units of the calendar; ``weekdays`` (Monday 0) narrows a week to some days."""

    unit: Unit
    count: int = 1
    weekdays: tuple[int, ...] = ()


def parse_period(period: str | timedelta) -> Span | Calendar:
    """Read a period.

    A ``timedelta`` and every count of seconds, minutes or hours but one minute and one hour are
    elapsed; the rest is of the calendar. Raises RecurrenceError.
    """
    if isinstance(period, timedelta):
        return _span(period.total_seconds(), period)
    if not isinstance(period, str):
        raise RecurrenceError(
            f"{period!r} is not a period; write a string like '10 minutes' or 'day'"
        )
    text = " ".join(period.lower().split())
    if text in _DAY_SETS:
        return Calendar("week", weekdays=_DAY_SETS[text])
    if text in _CALENDAR and not text.endswith("s"):
        return Calendar(_CALENDAR[text])
    parts = split_units(text)
    if not parts:
        raise RecurrenceError(_unknown(period, text))
    if len(parts) == 1:
        ((count, word),) = parts
        word = _LONG.get(word, word)
        if word in _CALENDAR and (_CALENDAR[word] not in {"minute", "hour"} or count == 1):
            if not 1 <= count <= 10_000:
                raise RecurrenceError(f"{period!r} must have a count from 1 to 10000")
            return Calendar(_CALENDAR[word], count)
    seconds = 0
    for count, word in parts:
        if word not in _ELAPSED:
            raise RecurrenceError(_unknown(period, word))
        seconds += count * _ELAPSED[word]
    return _span(seconds, period)


def _span(seconds: float, period: object) -> Span:
    if seconds != int(seconds) or not 1 <= seconds <= LONGEST:
        raise RecurrenceError(
            f"{period!r} must be a whole number of seconds, from 1 to a hundred years"
        )
    return Span(int(seconds))


def _unknown(period: str, word: str) -> str:
    known = [*_DAY_SETS, *_CALENDAR, *(long for long in _ELAPSED if len(long) > 3)]
    for part in re.findall(r"[a-z]+", word):
        if part in _CALENDAR or part in _DAY_SETS:
            return (
                f"{period!r} is not a period; weeks, months and weekdays are not mixed "
                "with other units, and days are counted alone, as in '3 days'"
            )
        suggestion = nearest(part, known)
        if suggestion:
            return f"{period!r} is not a period; did you mean {suggestion!r}?"
    return (
        f"{period!r} is not a period; "
        "write one like '10 minutes', '1h30m', 'day', '2 weeks' or 'monday'"
    )
