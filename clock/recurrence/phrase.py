"""A phrase: what ``every`` takes for a period, read with its ``at=``, ``on=`` and ``anchor=``.

A text may say all of it at once, as listings print it: ``"month on last friday at 23:30"``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence, Set
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple, cast

from clock.errors import RecurrenceError
from clock.recurrence.anchor import Anchor
from clock.recurrence.at import Written
from clock.recurrence.calendar_rule import CalendarRule, calendar_rule, hours_of_day
from clock.recurrence.combination import Combination, Words
from clock.recurrence.dates import DateFunction, Dates, date_set
from clock.recurrence.elapsed import SpanRule
from clock.recurrence.period import Calendar, Span, parse_period
from clock.recurrence.rule import Given, Rule
from clock.recurrence.union import EitherRule

Period = str | float | timedelta | Sequence[str] | Given | Words | Combination

_PHRASE = re.compile(
    r"(?P<period>.*?)(?: on (?P<on>.+?))?(?: at (?P<at>.+?))?(?: counted from (?P<anchor>\S+))?"
)
_CRON = re.compile(r"@\S+|(?:CRON_TZ|TZ)=.*|[0-9*?,/-]+ [0-9*?,/-]+ \S+.*", re.IGNORECASE)
_DEPTH = 50


class Details(NamedTuple):
    """The options of an event that add to its period."""

    at: Written | Sequence[Written] | None = None
    on: int | str | Sequence[int | str] | None = None
    anchor: Anchor | None = None

    def given(self) -> dict[str, object]:
        """The options that are given, by name."""
        named = {"at": self.at, "on": self.on, "anchor": self.anchor}
        return {option: value for option, value in named.items() if value is not None}


def read_rule(period: object, details: Details) -> Rule:
    """The rule of a period with its details. Raises RecurrenceError, quoting what is wrong.

    The same words give the same rule, so that it is read once, and there once.
    """
    if isinstance(period, str) and _is_plain(details):
        return _plain(period, details.at, details.on)
    if isinstance(period, Combination) and details.given():
        words = [leaf for leaf in _leaves(period) if isinstance(leaf, str | Words)]
        if len(words) != 1:
            option = next(iter(details.given()))
            raise RecurrenceError(
                f"{option}= belongs to one period in words, not to {len(words)}; "
                "write it into the words, as in 'day at 09:30'"
            )
    return _read(period, details, 0)


def _is_plain(details: Details) -> bool:
    return (
        details.anchor is None  # equal instants may be written in different zones
        and isinstance(details.at, str | None)
        and isinstance(details.on, str | int | None)
    )


@lru_cache(maxsize=4096, typed=True)  # True is 1 to a cache, and no day to a rule
def _plain(words: str, at: Any, on: Any) -> Rule:
    return _words(words, Details(at, on))


def _words(text: str, details: Details) -> Rule:
    """The rule of a text: a period in words, or cron notation."""
    if not _CRON.fullmatch(" ".join(text.split())):
        return parse_phrase(text, details)
    # A file without cron notation does not wait for it.
    from clock.recurrence.cron_rule import cron

    rule = cron(text)
    _refuse_details(rule, details)
    return rule


def _refuse_details(rule: Given, details: Details) -> None:
    for option in details.given():
        raise RecurrenceError(
            f"{option}= does not go with {rule.word}(...), which has its own times"
        )


def parse_phrase(text: str, details: Details | None = None) -> CalendarRule | SpanRule:
    """The rule of a period in words. Raises RecurrenceError."""
    match = _PHRASE.fullmatch(" ".join(text.split()))
    groups = {key: value for key, value in (match.groupdict() if match else {}).items() if value}
    details = details or Details()
    for option in details.given():
        if option in groups:
            raise RecurrenceError(f"{option}= is given twice: here, and in {text!r}")
    at = groups["at"].split(", ") if "at" in groups else details.at
    on = groups["on"].split(", ") if "on" in groups else details.on
    anchor = parse_anchor(groups["anchor"]) if "anchor" in groups else details.anchor
    return _join(groups.get("period", text), Details(at, on, anchor))


def parse_anchor(text: str) -> Anchor:
    """A date or an instant in ISO 8601. Raises RecurrenceError."""
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        raise RecurrenceError(f"{text!r} is not a date like '2026-01-31'") from None


def _join(period: str | float | timedelta, details: Details) -> CalendarRule | SpanRule:
    unit = parse_period(period)
    if isinstance(unit, Span):
        if details.at is not None and details.on is None and (hours := hours_of_day(unit.seconds)):
            return calendar_rule(Calendar("hour", hours), at=details.at, anchor=details.anchor)
        for option in ("at", "on"):
            if option in details.given():
                raise RecurrenceError(
                    f"{option}= does not go with {period!r}, "
                    "which is elapsed time and has no fixed hour; "
                    f"write {option}= with 'hour', 'day', a weekday or 'month', or use cron(...)"
                )
        return SpanRule(unit, details.anchor)
    return calendar_rule(unit, at=details.at, on=details.on, anchor=details.anchor)


def _read(period: object, details: Details, depth: int) -> Rule:
    if depth > _DEPTH:
        raise RecurrenceError(f"combinations can be nested at most {_DEPTH} deep")
    if isinstance(period, Combination):
        return _combine(period, details, depth + 1)
    if isinstance(period, Words):
        period = period.text
    if isinstance(period, str):
        return _words(period, details)
    if isinstance(period, Given):
        if depth == 0:
            _refuse_details(period, details)
        return period
    if depth > 0 and isinstance(period, Dates):
        raise RecurrenceError(f"{period} are dates, without a time of day; they stand after '-'")
    return _join(cast("timedelta", period), Details() if depth else details)


def _combine(combination: Combination, details: Details, depth: int) -> Rule:
    left, right = combination.left, combination.right
    if combination.sign == "-":
        # What most files do without is not worth the time that its import takes at every start.
        from clock.recurrence.difference import ExceptRule

        return ExceptRule(_read(left, details, depth), _taken(right, details, depth))
    if _is_dates(right) or _is_dates(left):
        raise RecurrenceError("dates have no time of day; they stand after '-', not beside '|'")
    parts = (_read(left, details, depth), _read(right, details, depth))
    return EitherRule(
        tuple(
            rule
            for part in parts
            for rule in (part.parts if isinstance(part, EitherRule) else (part,))
        )
    )


def _taken(right: object, details: Details, depth: int) -> Rule | Dates:
    if isinstance(right, Dates):
        return right
    if isinstance(right, date):
        return date_set([right])
    if isinstance(right, Set | Sequence) and not isinstance(right, str):
        return date_set(cast("Sequence[object]", right))
    if callable(right):
        return DateFunction(cast("Callable[[date], object]", right))
    return _read(right, details, depth)


def _is_dates(side: object) -> bool:
    return isinstance(side, Dates | Set | list | tuple) or callable(side)


def _leaves(period: object) -> Iterator[Any]:
    if isinstance(period, Combination):
        yield from _leaves(period.left)
        yield from _leaves(period.right)
    else:
        yield period
