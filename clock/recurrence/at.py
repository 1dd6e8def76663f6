"""The patterns of ``at=``: ``"09:30"``, ``"12:00:30"``, ``"**:15"``, ``"Monday 12:00"``."""

from __future__ import annotations

import re
from typing import NamedTuple

from clock.errors import RecurrenceError
from clock.recurrence.period import WEEKDAYS
from clock.suggest import nearest

_SHORT = {name[:3]: number for number, name in enumerate(WEEKDAYS)}
_FIELD = re.compile(r"\*{1,2}|[0-9]\*|[0-9]{1,2}")
_LIMITS = {"hour": 24, "minute": 60, "second": 60}


class At(NamedTuple):
    """One pattern: the times of day it names, and how.

    ``seconds`` are ascending seconds from local midnight; ``weekday`` is Monday 0 to Sunday 6, or
    None. ``any_hour`` and ``any_minute`` say that the field has a star in it, ``leading_star`` that
    the hour or the minute begins with one, which is what makes a recurrence follow real time.
    """

    text: str
    seconds: tuple[int, ...]
    weekday: int | None
    any_hour: bool
    any_minute: bool
    leading_star: bool


def parse_at(text: str) -> At:
    """Read one pattern. Raises RecurrenceError, quoting the word that is wrong."""
    if not isinstance(text, str):
        raise RecurrenceError(f"at={text!r} is not a time; write a string like '09:30'")
    words = text.split()
    weekday = None
    if len(words) == 2:
        weekday = _weekday(words[0], text)
    elif len(words) == 1 and _is_weekday(words[0]):
        raise RecurrenceError(
            f"at={text!r} names no time; write one behind it, as in '{text} 12:00'"
        )
    if len(words) not in {1, 2}:
        raise RecurrenceError(f"at={text!r} is not a time; write it like '09:30' or 'Monday 12:00'")
    fields = words[-1].split(":")
    if len(fields) not in {2, 3}:
        raise RecurrenceError(f"at={text!r} is not a time; write hours and minutes, as in '09:30'")
    hours = _values(fields[0], "hour", text)
    minutes = _values(fields[1], "minute", text)
    seconds = _values(fields[2], "second", text) if len(fields) == 3 else (0,)
    return At(
        text=_spell(weekday, fields),
        seconds=tuple(h * 3600 + m * 60 + s for h in hours for m in minutes for s in seconds),
        weekday=weekday,
        any_hour="*" in fields[0],
        any_minute="*" in fields[1],
        leading_star=fields[0].startswith("*") or fields[1].startswith("*"),
    )


def _spell(weekday: int | None, fields: list[str]) -> str:
    time = ":".join("**" if field == "*" else field.zfill(2) for field in fields)
    return time if weekday is None else f"{WEEKDAYS[weekday].capitalize()} {time}"


def _values(field: str, name: str, text: str) -> tuple[int, ...]:
    limit = _LIMITS[name]
    if not _FIELD.fullmatch(field) or (name != "hour" and field.isdigit() and len(field) != 2):
        raise RecurrenceError(
            f"at={text!r}: {field!r} is not {article(name)}; "
            "write two digits, '**', or a digit and '*'"
        )
    if field in {"*", "**"}:
        return tuple(range(limit))
    if field.endswith("*"):
        values = tuple(
            value for value in range(int(field[0]) * 10, int(field[0]) * 10 + 10) if value < limit
        )
    else:
        values = tuple(value for value in (int(field),) if value < limit)
    if not values:
        raise RecurrenceError(
            f"at={text!r}: {article(name)} is from 00 to {limit - 1}, not {field!r}"
        )
    return values


def article(name: str) -> str:
    """``name`` with its indefinite article."""
    return f"an {name}" if name == "hour" else f"a {name}"


def _is_weekday(word: str) -> bool:
    return word.lower() in WEEKDAYS or word.lower() in _SHORT


def _weekday(word: str, text: str) -> int:
    lower = word.lower()
    if lower in _SHORT:
        return _SHORT[lower]
    if lower in WEEKDAYS:
        return WEEKDAYS.index(lower)
    suggestion = nearest(lower, WEEKDAYS)
    hint = (
        f"did you mean {suggestion.capitalize()!r}?"
        if suggestion
        else "write one like 'Monday 12:00'"
    )
    raise RecurrenceError(f"at={text!r}: {word!r} is not a weekday; {hint}")
