"""Cron notation, as Debian's crontab(5) has it, with ``L``, ``W``, ``#``, ``?`` of its descendants.

The plain notation of a field is read in ``cron_field``; here is what joins the fields, and what
croniter's versions read differently or not at all: ``L``, ``L-3``, ``15W``, ``LW``, ``friL``,
``fri#2``, nicknames.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from clock.errors import RecurrenceError
from clock.recurrence.business import BusinessDays
from clock.recurrence.cron_field import FIELDS, SECOND, cron_error, plain_values
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
_ZONE = re.compile(r"[A-Za-z_]+/[A-Za-z][\w/+-]*|UTC|GMT")
_NTH = re.compile(r"(?P<day>[a-z]+|[0-9])(?:#(?P<nth>[0-9])|(?P<last>l))")
_BUSINESS = re.compile(r"(?P<day>[0-9]{1,2})w|lw|wl")
_BEFORE_END = re.compile(r"l(?:-(?P<days>[0-9]{1,2}))?")


class CronFields(NamedTuple):
    """An expression, read: every field as a set of numbers, weekdays with Monday as 0.

    ``every_day`` says that neither day field restricts anything, ``every_date`` that the day of the
    month does not; ``business`` are the days of ``15W`` and ``LW``; ``follows_real_time`` says that
    the minute or the hour field begins with ``*`` (cron(8), "special considerations").
    """

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: DayRule
    business: BusinessDays | None
    months: frozenset[int]
    every_day: bool
    every_date: bool
    follows_real_time: bool


def parse_cron(text: str, seconds: Seconds | None = None) -> CronFields:
    """Read an expression of five fields, or of six with ``seconds`` saying where theirs stands.

    Day of the month and day of the week are joined as Vixie cron joins them: either is enough,
    unless one of the two begins with ``*``. Raises RecurrenceError, quoting the word that is wrong.
    """
    if not isinstance(text, str):
        raise cron_error(text, "the expression must be a string, as in cron('*/15 * * * *')")
    if seconds not in {None, "first", "last"}:
        raise cron_error(text, f"seconds={seconds!r} must be 'first' or 'last'")
    return _parse(text, seconds)


@lru_cache(maxsize=4096)
def _parse(text: str, seconds: Seconds | None) -> CronFields:
    fields = _split(text, seconds)
    if seconds is not None:
        second = fields.pop(0 if seconds == "first" else -1)
        second_values = plain_values(second, SECOND, text)
    else:
        second_values = (0,)
    minute, hour, day, month, weekday = fields
    minutes, hours = (plain_values(word, FIELDS[i], text) for i, word in ((0, minute), (1, hour)))
    months = frozenset(plain_values(month, FIELDS[3], text))
    star = day.startswith(("*", "?")) or weekday.startswith(("*", "?"))
    return CronFields(
        seconds=second_values,
        minutes=minutes,
        hours=hours,
        days=_days(day, weekday, text, both=star),
        business=_business_days(day, weekday, text, months, both=star),
        months=months,
        every_day=day in {"*", "?"} and weekday in {"*", "?"},
        every_date=day in {"*", "?"},
        follows_real_time=minute.startswith("*") or hour.startswith("*"),
    )


def _split(text: str, seconds: Seconds | None) -> list[str]:
    _refuse_zone(text)
    words = text.lower().split()
    if len(words) == 1 and words[0].startswith("@"):
        if words[0] not in NICKNAMES or seconds is not None:
            raise cron_error(text, f"the nicknames are {', '.join(NICKNAMES)}, without seconds=")
        return NICKNAMES[words[0]].split()
    if seconds is not None and len(words) != 6:
        raise cron_error(text, f"six fields are needed with seconds=, not {len(words)}")
    if seconds is None and len(words) == 6:
        raise RecurrenceError(
            f"cron({text!r}) has six fields: write seconds='first' if {words[0]!r} "
            f"are the seconds, seconds='last' if {words[5]!r} are"
        )
    if seconds is None and len(words) != 5:
        raise cron_error(
            text, f"five fields are needed (minute, hour, day, month, weekday), not {len(words)}"
        )
    return words


def _refuse_zone(text: str) -> None:
    words = text.split()
    variable, is_set, name = words[0].partition("=") if words else ("", "", "")
    if is_set and variable.upper() in {"CRON_TZ", "TZ"}:
        rest = words[1:]
    elif words and _ZONE.fullmatch(words[-1]):
        *rest, name = words
    else:
        return
    raise cron_error(text, f"the zone is an option; write {' '.join(rest)!r} and tz={name!r}")


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
        elif _BUSINESS.fullmatch(term):
            continue
        else:
            plain.append(term)
    if before_end and max(before_end) > 30:
        raise cron_error(text, f"'L-{max(before_end)}' is before the first of every month")
    return frozenset(plain_values(",".join(plain), FIELDS[2], text) if plain else ()), frozenset(
        before_end
    )


def _business_days(
    word: str, weekday: str, text: str, months: frozenset[int], *, both: bool
) -> BusinessDays | None:
    special = [match for term in word.split(",") if (match := _BUSINESS.fullmatch(term))]
    if not special:
        return None
    if both and weekday not in {"*", "?"}:
        raise cron_error(text, f"'W' in {word!r} and {weekday!r} do not go together")
    return BusinessDays(
        nth=frozenset({-1}) if any(match["day"] is None for match in special) else frozenset(),
        nearest=frozenset(
            FIELDS[2].number(match["day"], text) for match in special if match["day"]
        ),
        months=months,
    )


def _week_days(word: str, text: str) -> tuple[frozenset[int], frozenset[tuple[int, int]]]:
    plain, nth = [], set()
    for term in ("*" if word == "?" else word).split(","):
        special = _NTH.fullmatch(term)
        if special:
            number = -1 if special["last"] else int(special["nth"])
            if number == 0 or number > 5:
                raise cron_error(
                    text, f"{term!r}: a month has five weeks at most; write '#1' to '#5'"
                )
            nth.add((_monday_first(FIELDS[4].number(special["day"], text)), number))
        else:
            plain.append(term)
    values = plain_values(",".join(plain), FIELDS[4], text) if plain else ()
    return frozenset(_monday_first(value) for value in values), frozenset(nth)


def _monday_first(sunday_first: int) -> int:
    return (sunday_first - 1) % 7
