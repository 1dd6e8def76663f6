"""The word for a period: ``"10 minutes"``, ``"1h30m"``, ``"day"``, ``"2 weeks"``, ``"monday"``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from clock.errors import RecurrenceError
from clock.recurrence.duration import LONGEST, UNIT_SECONDS, split_units
from clock.recurrence.weekdays import WEEKDAY_WORDS, parse_weekdays, unknown_weekday
from clock.suggest import nearest

Unit = Literal["minute", "hour", "day", "week", "month", "quarter", "year"]

_ELAPSED = {word: seconds for word, seconds in UNIT_SECONDS.items() if seconds <= 3600}
_CALENDAR: dict[str, Unit] = {
    word: unit
    for unit in ("minute", "hour", "day", "week", "month", "year")
    for word in (unit, f"{unit}s")
}
_LONG = {word: "minute" for word, seconds in _ELAPSED.items() if seconds == 60} | {
    word: "hour" for word, seconds in _ELAPSED.items() if seconds == 3600
}
_PEERS = {
    "secondly": "1 second", "minutely": "minute", "hourly": "hour", "daily": "day",
    "nightly": "day", "weekly": "monday", "weekdays": "weekday", "weekends": "weekend",
    "monthly": "month", "quarterly": "quarter", "yearly": "year", "annually": "year",
    "fortnight": "2 weeks", "fortnightly": "2 weeks", "second": "1 second",
    "sec": "1 second", "s": "1 second",
}  # fmt: skip
"""Words of other schedulers, and what is written here."""


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


def parse_period(period: str | float | timedelta | Sequence[str]) -> Span | Calendar:
    """Read a period.

    A number of seconds, a ``timedelta`` and every count of seconds, minutes or hours but one minute
    and one hour are elapsed; the rest is of the calendar. A list holds weekdays. Raises
    RecurrenceError.
    """
    if isinstance(period, timedelta):
        return _span(period.total_seconds(), period)
    if isinstance(period, int | float) and not isinstance(period, bool):
        return _span(period, period)
    if isinstance(period, list | tuple):
        return _listed_weekdays(period)
    if not isinstance(period, str):
        raise RecurrenceError(
            f"{period!r} is not a period; write a string like '10 minutes' or 'day'"
        )
    text = " ".join(period.lower().split())
    weekdays = parse_weekdays(text)
    if weekdays is not None:
        return Calendar("week", weekdays=weekdays)
    if text == "quarter":
        return Calendar("quarter")
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
            raise RecurrenceError(_unknown(period, text))
        seconds += count * _ELAPSED[word]
    return _span(seconds, period)


def _span(seconds: float, period: object) -> Span:
    if not 1 <= seconds <= LONGEST or seconds != int(seconds):
        raise RecurrenceError(
            f"{period!r} must be a whole number of seconds, from 1 to a hundred years"
        )
    return Span(int(seconds))


def _listed_weekdays(listed: Sequence[object]) -> Calendar:
    numbers = set[int]()
    for item in listed:
        weekdays = parse_weekdays(item) if isinstance(item, str) else None
        if weekdays is None:
            raise RecurrenceError(f"{listed!r}: {unknown_weekday(item)}")
        numbers.update(weekdays)
    if not numbers:
        raise RecurrenceError("[] holds no weekday; write at least one, as in ['monday']")
    return Calendar("week", weekdays=tuple(sorted(numbers)))


def _unknown(period: str, text: str) -> str:
    """The message for a text that is not a period."""
    words = re.findall(r"[a-z]+", text)
    known = {*WEEKDAY_WORDS, *_CALENDAR, *_ELAPSED, "quarter"}
    if text in _PEERS:
        return f"{period!r} is not a period; write {_PEERS[text]!r}"
    if text in known:
        return f"{period!r} is not a period; write {text.removesuffix('s')!r} or a count of them"
    parts = split_units(text)
    if len(parts) == 1 and parts[0][1] == "quarters":
        return f"{period!r} is not a period; write '{3 * parts[0][0]} months'"
    if len(parts) > 1 and all(word in known for _, word in parts):
        return (
            f"{period!r} is not a period; weeks, months and weekdays are not mixed "
            "with other units, and days are counted alone, as in '3 days'"
        )
    if words[:1] == ["every"] and len(words) > 1:
        return f"{period!r} is not a period; write {text.removeprefix('every ')!r}"
    unknown = [word for word in words if word not in known]
    for word in unknown:
        if word in _PEERS:
            return f"{period!r} is not a period; write {_PEERS[word]!r} for {word!r}"
        suggestion = nearest(word, [*_CALENDAR, *(word for word in known if len(word) > 3)])
        if suggestion:
            return f"{period!r} is not a period; did you mean {suggestion!r}?"
    return (
        f"{period!r} is not a period; "
        "write one like '10 minutes', '1h30m', 'day', '2 weeks' or 'monday'"
    )
