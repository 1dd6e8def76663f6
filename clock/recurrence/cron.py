"""Cron notation, as Debian's crontab(5) has it, with ``L``, ``#`` and ``?`` of its descendants.

croniter reads the plain notation (names, ranges, steps, lists, nicknames); this module decides what
may be written at all, so that the answer and the message are the same under every croniter, and
reads what croniter's versions read differently or not at all: ``L``, ``L-3``, ``friL``, ``fri#2``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from croniter import croniter

from clock.errors import RecurrenceError
from clock.recurrence.days import DayRule

Seconds = Literal["first", "last"]

NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NUMBER = "[0-9]{1,9}"
_TERM = re.compile(
    rf"(?P<from>\*|[a-z]+|{_NUMBER})(?:-(?P<to>[a-z]+|{_NUMBER}))?(?:/(?P<step>{_NUMBER}))?"
)
_NTH = re.compile(r"(?P<day>[a-z]+|[0-9])(?:#(?P<nth>[0-9])|(?P<last>l))")
_BEFORE_END = re.compile(r"l(?:-(?P<days>[0-9]{1,2}))?")


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def number(self, word: str, text: str) -> int:
        if word in self.names:
            return self.names.index(word) + (1 if self.low == 1 else 0)
        if not word.isdecimal():
            known = f", or a name like {self.names[1]!r}" if self.names else ""
            if word[:3] in self.names:
                known = f" or {word[:3]!r}"
            if word.endswith("w") and not self.names:
                known = "; the nearest weekday ('W') is not known here"
            raise RecurrenceError(
                f"cron({text!r}): {word!r} is not {_article(self.name)}; write a number{known}"
            )
        number = int(word)
        if not self.low <= number <= self.high:
            raise RecurrenceError(
                f"cron({text!r}): {word!r} is out of range; "
                f"{_article(self.name)} is from {self.low} to {self.high}"
            )
        return number


_SECOND = _Field("second", 0, 59)
_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("weekday", 0, 7, _WEEKDAYS),
)


@dataclass(frozen=True, slots=True)
class CronFields:
    """An expression, read: every field as a set of numbers, weekdays with Monday as 0.

    ``every_day`` says that neither day field restricts anything, ``every_date`` that the day of the
    month does not; ``follows_real_time`` that the minute or the hour field begins with ``*``
    (cron(8), "special considerations").
    """

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: DayRule
    months: frozenset[int]
    every_day: bool
    every_date: bool
    follows_real_time: bool


def parse_cron(text: str, seconds: Seconds | None = None) -> CronFields:
    """Read an expression of five fields, or of six with ``seconds`` saying where theirs stands.

    Day of the month and day of the week are joined as Vixie cron joins them: either is enough,
    unless one of the two begins with ``*``. Raises RecurrenceError, quoting the word that is wrong.
    """
    fields = _split(text, seconds)
    if seconds is not None:
        second = fields.pop(0 if seconds == "first" else -1)
        second_values = _plain(second, _SECOND, text)
    else:
        second_values = (0,)
    minute, hour, day, month, weekday = fields
    minutes, hours = (_plain(word, _FIELDS[i], text) for i, word in ((0, minute), (1, hour)))
    months = frozenset(_plain(month, _FIELDS[3], text))
    star = day.startswith(("*", "?")) or weekday.startswith(("*", "?"))
    return CronFields(
        seconds=second_values,
        minutes=minutes,
        hours=hours,
        days=_days(day, weekday, text, both=star),
        months=months,
        every_day=day in {"*", "?"} and weekday in {"*", "?"},
        every_date=day in {"*", "?"},
        follows_real_time=minute.startswith("*") or hour.startswith("*"),
    )


def _split(text: str, seconds: Seconds | None) -> list[str]:
    if not isinstance(text, str):
        raise RecurrenceError(
            f"cron({text!r}): write the expression as a text, as in cron('*/15 * * * *')"
        )
    if seconds not in {None, "first", "last"}:
        raise RecurrenceError(f"cron({text!r}): seconds={seconds!r} is neither 'first' nor 'last'")
    words = text.lower().split()
    if len(words) == 1 and words[0].startswith("@"):
        if words[0] not in NICKNAMES or seconds is not None:
            raise RecurrenceError(
                f"cron({text!r}): the nicknames are {', '.join(NICKNAMES)}, without seconds="
            )
        return NICKNAMES[words[0]].split()
    if seconds is not None and len(words) != 6:
        raise RecurrenceError(
            f"cron({text!r}): with seconds= there are six fields, here are {len(words)}"
        )
    if seconds is None and len(words) == 6:
        raise RecurrenceError(
            f"cron({text!r}) has six fields: write seconds='first' if {words[0]!r} "
            f"are the seconds, seconds='last' if {words[5]!r} are"
        )
    if seconds is None and len(words) != 5:
        raise RecurrenceError(
            f"cron({text!r}): five fields are needed (minute, hour, day, month, weekday), "
            f"here are {len(words)}"
        )
    return words


def _plain(word: str, field: _Field, text: str) -> tuple[int, ...]:
    """The values of a field in plain notation, ascending."""
    for term in word.split(","):
        _check(term, field, text)
    star = tuple(range(field.low, field.high + 1))
    if "*" in word.split(","):
        return star
    position = 5 if field is _SECOND else _FIELDS.index(field)
    asked = ["*"] * (6 if field is _SECOND else 5)
    asked[position] = word
    read = croniter.expand(" ".join(asked))[0][position]
    return star if "*" in read else tuple(sorted(int(value) for value in read))


def _check(term: str, field: _Field, text: str) -> None:
    match = _TERM.fullmatch(term)
    if not match:
        raise RecurrenceError(
            f"cron({text!r}): {term!r} cannot be read as {_article(field.name)}{_hint(term)}"
        )
    first, last, step = match["from"], match["to"], match["step"]
    low = field.low if first == "*" else field.number(first, text)
    high = field.high if last is None else field.number(last, text)
    if first == "*" and last is not None:
        raise RecurrenceError(
            f"cron({text!r}): {term!r} is a range that begins with a star; write one or the other"
        )
    if last is not None and low > high:
        _check_wrap(term, field, low, high, text)
    if step is None:
        return
    if first != "*" and last is None:
        raise RecurrenceError(
            f"cron({text!r}): a step goes with a star or a range; "
            f"write '{first}-{field.high}/{step}' for {term!r}"
        )
    if not 1 <= int(step) <= field.high - field.low + 1:
        raise RecurrenceError(
            f"cron({text!r}): a step of {step} in {term!r} does not fit {_article(field.name)}"
        )


def _check_wrap(term: str, field: _Field, low: int, high: int, text: str) -> None:
    whole = 7 if field.names is _WEEKDAYS else field.high - field.low + 1
    covered = (high - low) % whole + 1
    # Sunday is 0 but ends a week as often as it begins one: 'tue-sun' does not wrap.
    if covered * 4 > whole * 3 and not (whole == 7 and high == 0):
        first, _, last = term.partition("/")[0].partition("-")
        raise RecurrenceError(
            f"cron({text!r}): {term!r} wraps round to {covered} of {whole}; "
            f"write '{last}-{first}' if that is meant, or '*'"
        )


def _days(day: str, weekday: str, text: str, *, both: bool) -> DayRule:
    numbers, before_end = _month_days(day, text)
    weekdays, nth = _week_days(weekday, text)
    if weekday in {"*", "?"}:
        return DayRule(days=numbers, before_end=before_end)
    if day in {"*", "?"}:
        return DayRule(weekdays=weekdays, nth=nth)
    return DayRule(days=numbers, before_end=before_end, weekdays=weekdays, nth=nth, both=both)


def _month_days(word: str, text: str) -> tuple[frozenset[int], frozenset[int]]:
    plain, before_end = [], set()
    for term in ("*" if word == "?" else word).split(","):
        special = _BEFORE_END.fullmatch(term)
        if special:
            before_end.add(int(special["days"] or 0))
        else:
            plain.append(term)
    if before_end and max(before_end) > 30:
        raise RecurrenceError(
            f"cron({text!r}): 'L-{max(before_end)}' is before the first of every month"
        )
    return frozenset(_plain(",".join(plain), _FIELDS[2], text) if plain else ()), frozenset(
        before_end
    )


def _week_days(word: str, text: str) -> tuple[frozenset[int], frozenset[tuple[int, int]]]:
    plain, nth = [], set()
    for term in ("*" if word == "?" else word).split(","):
        special = _NTH.fullmatch(term)
        if special:
            number = -1 if special["last"] else int(special["nth"])
            if number == 0 or number > 5:
                raise RecurrenceError(
                    f"cron({text!r}): {term!r}: a month has five weeks at most; write '#1' to '#5'"
                )
            nth.add((_monday_first(_FIELDS[4].number(special["day"], text)), number))
        else:
            plain.append(term)
    values = _plain(",".join(plain), _FIELDS[4], text) if plain else ()
    return frozenset(_monday_first(value) for value in values), frozenset(nth)


def _monday_first(sunday_first: int) -> int:
    return (sunday_first - 1) % 7


def _article(name: str) -> str:
    return f"an {name}" if name == "hour" else f"a {name}"


def _hint(term: str) -> str:
    if term.endswith("w"):
        return "; the nearest weekday ('W') is not known here"
    if "?" in term:
        return "; '?' stands alone, for a day of the month or a weekday"
    return "; write numbers, '*', ranges, steps and lists, as in '*/15' or '9-17'"
