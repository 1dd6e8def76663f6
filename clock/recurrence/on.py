"""The days of ``on=``, in months and years: ``15``, ``"last"``, ``"last friday"``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from clock.errors import RecurrenceError
from clock.recurrence.days import DayRule
from clock.recurrence.period import WEEKDAYS

MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ORDINALS = {
    "1st": 1, "first": 1, "2nd": 2, "second": 2, "3rd": 3, "third": 3,
    "4th": 4, "fourth": 4, "5th": 5, "fifth": 5, "last": -1,
}  # fmt: skip
_OF_MONTH = re.compile(r"(?P<day>.+?) (?:of )?(?P<month>[a-z]+)")


@dataclass(frozen=True, slots=True)
class On:
    """One day of a month: a rule for it, and the month (1 to 12) where one is named."""

    rule: DayRule
    month: int | None = None


def parse_on(value: int | str) -> On:
    """Read one day. Raises RecurrenceError, quoting what is wrong."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise RecurrenceError(
            f"on={value!r} is not a day; write a number, 'last', 'last friday' or '2nd tuesday'"
        )
    if isinstance(value, int):
        return On(_number(value, value))
    words = " ".join(value.lower().split())
    named = _OF_MONTH.fullmatch(words)
    month = _month(named["month"]) if named else None
    if named and month is not None:
        rule, length = _day(named["day"], value), LENGTHS[month - 1]
        if rule.days and min(rule.days) > length:
            raise RecurrenceError(
                f"on={value!r}: {MONTHS[month - 1].capitalize()} has {length} days at most"
            )
        return On(rule, month)
    return On(_day(words, value))


def merge_rules(rules: Iterable[DayRule]) -> DayRule:
    """The rule that matches where any of ``rules`` does."""
    every = tuple(rules)
    return DayRule(
        days=frozenset().union(*(rule.days for rule in every)),
        before_end=frozenset().union(*(rule.before_end for rule in every)),
        nth=frozenset().union(*(rule.nth for rule in every)),
    )


def _day(words: str, written: str) -> DayRule:
    if words.isascii() and words.isdecimal():
        return _number(int(words[:9]), written)
    if words == "last":
        return DayRule(before_end=frozenset({0}))
    ordinal, _, day = words.partition(" ")
    if day == "day" and ordinal == "last":
        return DayRule(before_end=frozenset({0}))
    if ordinal in _ORDINALS and day in WEEKDAYS:
        return DayRule(nth=frozenset({(WEEKDAYS.index(day), _ORDINALS[ordinal])}))
    number = re.fullmatch(r"([0-9]{1,9})(?:st|nd|rd|th)", words)
    if number:
        return _number(int(number[1]), written)
    raise RecurrenceError(
        f"on={written!r} is not a day; write a number, 'last', 'last friday' or '2nd tuesday'"
    )


def _number(number: int, written: int | str) -> DayRule:
    if not 1 <= number <= 31:
        raise RecurrenceError(f"on={written!r}: a day of the month is from 1 to 31, or 'last'")
    return DayRule(days=frozenset({number}))


def _month(word: str) -> int | None:
    for number, name in enumerate(MONTHS, start=1):
        if word in {name, name[:3]}:
            return number
    return None
