"""The days of ``on=``, in months and years: ``15``, ``"last"``, ``"last friday"``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from clock.errors import RecurrenceError
from clock.recurrence.business import BusinessDays
from clock.recurrence.days import DayRule
from clock.recurrence.ordinal import ordinal
from clock.recurrence.weekdays import WEEKDAYS, parse_weekdays, spell_weekdays

MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
MOST_WEEKDAYS = 23
"""The most days from Monday to Friday that a month has."""
LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ORDINALS = {
    "1st": 1, "first": 1, "2nd": 2, "second": 2, "3rd": 3, "third": 3,
    "4th": 4, "fourth": 4, "5th": 5, "fifth": 5, "last": -1,
}  # fmt: skip
_SPELLED = {1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 5: "5th", -1: "last"}
_NEAREST = " nearest weekday"
_WEEKDAY = " weekday"
_NUMBER = re.compile("(-?[0-9]{1,9})(?:st|nd|rd|th)?")
_OF_MONTH = re.compile(r"(?P<day>.+?) (?:of )?(?P<month>[a-z]+)")


class On(NamedTuple):
    """One day of a month: its tidy text, a rule for it, and the month (1 to 12) if one is named.

    The rule of a business day says nothing of its months.
    """

    text: str
    rule: DayRule | BusinessDays
    month: int | None = None

    @property
    def order(self) -> int:
        """The sort key of the days in listings: their order in a month, as far as it is fixed."""
        days = self.rule.days if isinstance(self.rule, DayRule) else self.rule.nearest
        return min(days, default=40)

    @property
    def is_at_the_end(self) -> bool:
        """Whether it is counted from the end of its month."""
        if isinstance(self.rule, DayRule):
            return bool(self.rule.before_end) or any(nth < 0 for _, nth in self.rule.nth)
        return any(nth < 0 for nth in self.rule.nth)


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
    days = rule.days if isinstance(rule, DayRule) else rule.nearest
    if days and min(days) > length:
        raise RecurrenceError(f"on={value!r}: {name.capitalize()} has {length} days at most")
    return On(f"{text} {name}" if text.isdecimal() else f"{text} of {name}", rule, month)


def merge_rules(rules: Iterable[DayRule]) -> DayRule:
    """The rule that matches where any of ``rules`` does."""
    every = tuple(rules)
    return DayRule(
        days=frozenset().union(*(rule.days for rule in every)),
        before_end=frozenset().union(*(rule.before_end for rule in every)),
        nth=frozenset().union(*(rule.nth for rule in every)),
    )


def merge_business(rules: Iterable[BusinessDays]) -> BusinessDays:
    """The business days of any of ``rules``, of every month."""
    every = tuple(rules)
    return BusinessDays(
        nth=frozenset().union(*(rule.nth for rule in every)),
        nearest=frozenset().union(*(rule.nearest for rule in every)),
    )


def _day(words: str, written: int | str) -> tuple[str, DayRule | BusinessDays]:
    """A day within any month: its tidy text and its rule."""
    if words in {"last", "last day"}:
        return "last", DayRule(before_end=frozenset({0}))
    number = _NUMBER.fullmatch(words.removesuffix(_NEAREST))
    if number:
        day = int(number[1])
        if not 1 <= day <= 31:
            raise RecurrenceError(f"on={written!r}: a day of the month is from 1 to 31, or 'last'")
        if words.endswith(_NEAREST):
            return f"{day}{_NEAREST}", BusinessDays(nearest=frozenset({day}))
        return str(day), DayRule(days=frozenset({day}))
    if words.endswith(_WEEKDAY):
        nth = _nth_weekday(words.removesuffix(_WEEKDAY), written)
        spelled = "last" if nth < 0 else ordinal(nth)
        return f"{spelled} weekday", BusinessDays(nth=frozenset({nth}))
    nth_word, _, name = words.partition(" ")
    if nth_word in _ORDINALS and name in WEEKDAYS:
        nth = _ORDINALS[nth_word]
        return f"{_SPELLED[nth]} {name}", DayRule(nth=frozenset({(WEEKDAYS.index(name), nth)}))
    weekdays = parse_weekdays(words.partition(" ")[0])
    if weekdays is not None:
        name = spell_weekdays(weekdays)
        raise RecurrenceError(
            f"on={written!r} is not a day of a month; write every({name!r}) for a weekday, "
            f"or on='first {name}' with 'month'"
        )
    raise RecurrenceError(
        f"on={written!r} is not a day; write a number, 'last', 'last friday' or '2nd tuesday'"
    )


def _nth_weekday(word: str, written: int | str) -> int:
    number = _NUMBER.fullmatch(word)
    nth = int(number[1]) if number and not word.isdecimal() else _ORDINALS.get(word, 0)
    if not -1 <= nth <= MOST_WEEKDAYS or nth == 0:
        raise RecurrenceError(
            f"on={written!r} is not a day; write '1st weekday' to '{MOST_WEEKDAYS}rd weekday', "
            "'last weekday' or '15 nearest weekday'"
        )
    return nth


def _month(word: str) -> int | None:
    for number, name in enumerate(MONTHS, start=1):
        if word in {name, name[:3]}:
            return number
    return None
