"""The patterns of ``at=``: ``"09:30"``, ``"2:45pm"``, ``"noon"``, ``"Monday 12:00"``."""

from __future__ import annotations

import re
from datetime import datetime, time
from typing import NamedTuple

from clock.errors import RecurrenceError
from clock.recurrence.weekdays import SHORT_WEEKDAYS, WEEKDAYS
from clock.suggest import nearest

Written = str | time
"""A pattern as a schedule file has it."""

_NAMED = {"noon": "12:00", "midnight": "00:00"}
_BARE_HOUR = re.compile("[0-9]{1,2}")
_HALVED = re.compile(
    r"(?P<hour>[0-9]{1,2})(?P<rest>(?::[0-9]{2}){0,2})(?P<half>am|pm)", re.IGNORECASE
)
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

    @property
    def every_hour(self) -> bool:
        """Whether the hour is ``**``, and the minute has no star."""
        return self.text.startswith("**") and not self.any_minute


def parse_at(written: Written) -> At:
    """Read one pattern. Raises RecurrenceError, quoting the word that is wrong."""
    text = _text(written)
    words = text.split()
    if len(words) > 1 and words[-1].lower() in {"am", "pm"}:
        words[-2:] = [words[-2] + words[-1]]
    weekday = None
    if len(words) == 2:
        weekday = _weekday(words[0], text)
    elif len(words) == 1 and _is_weekday(words[0]):
        raise RecurrenceError(
            f"at={text!r} names no time; write one behind it, as in '{text} 12:00'"
        )
    if len(words) not in {1, 2}:
        raise RecurrenceError(f"at={text!r} is not a time; write it like '09:30' or 'Monday 12:00'")
    fields = _of_24_hours(words[-1], text).split(":")
    if len(fields) not in {2, 3}:
        raise RecurrenceError(f"at={text!r} is not a time; {_hint(words[-1])}")
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


def is_bare_hour(written: object) -> bool:
    """Whether a pattern is an hour without minutes and without am or pm, such as ``"9"``."""
    return isinstance(written, str) and bool(_BARE_HOUR.fullmatch(written.strip()))


def _text(written: object) -> str:
    if isinstance(written, str):
        if "," in written:
            times = ", ".join(repr(part.strip()) for part in written.split(","))
            raise RecurrenceError(f"at={written!r} is several times; write a list, at=[{times}]")
        return written
    if not isinstance(written, time):
        if isinstance(written, datetime):
            hint = f"write its time of day, as '{written:%H:%M}', or times(...) for one instant"
        elif type(written) is int and 0 <= written < 24:
            hint = f"write a string like '{written:02}:00'"
        else:
            hint = "write a string like '09:30'"
        raise RecurrenceError(f"at={written!r} is not a time; {hint}")
    if written.tzinfo is not None:
        raise RecurrenceError(f"at={written!r} has a zone; write it without one, and tz= beside it")
    if written.microsecond:
        raise RecurrenceError(f"at={written!r} has a fraction of a second; write whole seconds")
    return f"{written:%H:%M:%S}" if written.second else f"{written:%H:%M}"


def _of_24_hours(word: str, text: str) -> str:
    """The time in hours from 00 to 23, with minutes; any other word as it is."""
    if word.lower() in _NAMED:
        return _NAMED[word.lower()]
    if _BARE_HOUR.fullmatch(word):
        return f"{word}:00"
    halved = _HALVED.fullmatch(word)
    if halved is None:
        return word
    hour, half = int(halved["hour"]), halved["half"].lower()
    if not 1 <= hour <= 12:
        raise RecurrenceError(
            f"at={text!r}: with {half}, an hour is from 1 to 12, not {halved['hour']!r}"
        )
    return f"{hour % 12 + (12 if half == 'pm' else 0):02}{halved['rest'] or ':00'}"


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


def _hint(word: str) -> str:
    suggestion = nearest(word.lower(), _NAMED)
    if suggestion:
        return f"did you mean {suggestion!r}?"
    return "write hours and minutes, as in '09:30'"


def _is_weekday(word: str) -> bool:
    return word.lower() in WEEKDAYS or word.lower() in SHORT_WEEKDAYS


def _weekday(word: str, text: str) -> int:
    lower = word.lower()
    if lower in SHORT_WEEKDAYS:
        return SHORT_WEEKDAYS[lower]
    if lower in WEEKDAYS:
        return WEEKDAYS.index(lower)
    suggestion = nearest(lower, WEEKDAYS)
    hint = (
        f"did you mean {suggestion.capitalize()!r}?"
        if suggestion
        else "write one like 'Monday 12:00'"
    )
    raise RecurrenceError(f"at={text!r}: {word!r} is not a weekday; {hint}")
