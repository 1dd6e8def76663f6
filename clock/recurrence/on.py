"""The days of ``on=``, in months and years: ``15``, ``"last"``, ``"last friday"``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from clock.errors import RecurrenceError
from clock.recurrence.days import DayRule
from clock.recurrence.weekdays import WEEKDAYS

MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ORDINALS = {
    "1st": 1, "first": 1, "2nd": 2, "second": 2, "3rd": 3, "third": 3,
    "4th": 4, "fourth": 4, "5th": 5, "fifth": 5, "last": -1,
}  # fmt: skip
_SPELLED = {1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 5: "5th", -1: "last"}
_NUMBER = re.compile("(-?[0-9]{1,9})(?:st|nd|rd|th)?")
_OF_MONTH = re.compile(r"(?P<day>.+?) (?:of )?(?P<month>[a-z]+)")


class On(NamedTuple):
    """One day of a month: its tidy text, a rule for it, and the month (1 to 12) if one is named."""

    text: str
    rule: DayRule
    month: int | None = None

    @property
    def order(self) -> int:
        """The sort key of the days in listings: their order in a month, as far as it is fixed."""
        return min(self.rule.days, default=40)


def parse_on(value: int | str) -> On:
    """Read one day. Raises RecurrenceError, quoting what is wrong."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise RecurrenceError(
            f"on={value!r} is not a day; write a number, 'last', 'last friday' or '2nd tuesday'"
        )
    words = " ".join(str(value).lower().split())
    named = _OF_MONTH.fullmatch(words)
    month = _month(named["month"]) if named else None
    if named is None or month is None:
        text, rule = _day(words, value)
        return On(text, rule)
    text, rule = _day(named["day"], value)
    length, name = LENGTHS[month - 1], MONTHS[month - 1]
    if rule.days and min(rule.days) > length:
        raise RecurrenceError(f"on={value!r}: {name.capitalize()} has {length} days at most")
    return On(f"{text} {name}" if rule.days else f"{text} of {name}", rule, month)


def merge_rules(rules: Iterable[DayRule]) -> DayRule:
    """The rule that matches where any of ``rules`` does."""
    every = tuple(rules)
    return DayRule(
        days=frozenset().union(*(rule.days for rule in every)),
        before_end=frozenset().union(*(rule.before_end for rule in every)),
        nth=frozenset().union(*(rule.nth for rule in every)),
    )


def _day(words: str, written: int | str) -> tuple[str, DayRule]:
    """A day within any month: its tidy text and its rule."""
    if words in {"last", "last day"}:
        return "last", DayRule(before_end=frozenset({0}))
    number = _NUMBER.fullmatch(words)
    if number:
        day = int(number[1])
        if not 1 <= day <= 31:
            raise RecurrenceError(f"on={written!r}: a day of the month is from 1 to 31, or 'last'")
        return str(day), DayRule(days=frozenset({day}))
    ordinal, _, name = words.partition(" ")
    if ordinal in _ORDINALS and name in WEEKDAYS:
        nth = _ORDINALS[ordinal]
        return f"{_SPELLED[nth]} {name}", DayRule(nth=frozenset({(WEEKDAYS.index(name), nth)}))
    raise RecurrenceError(
        f"on={written!r} is not a day; write a number, 'last', 'last friday' or '2nd tuesday'"
    )


def _month(word: str) -> int | None:
    for number, name in enumerate(MONTHS, start=1):
        if word in {name, name[:3]}:
            return number
    return None
