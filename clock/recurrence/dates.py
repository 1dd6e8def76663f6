"""Dates to leave out: a set of them, or a function that knows them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import ClassVar

from clock.errors import RecurrenceError, describe_error
from clock.recurrence.combination import Combining
from clock.recurrence.days import EPOCH
from clock.recurrence.tags import Tags

MOST = 10_000
"""The most dates of a set; a search passes over all of them."""

SPELLED = 3
"""The most dates that are spelled out; a larger set shows its number of dates and a digest."""


class Dates(Combining):
    """Some dates; ``period - dates`` leaves them out."""

    __slots__ = ()

    def has(self, day: int) -> bool:
        """Whether ``day``, a number since 1970-01-01, is one of the dates."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class DateSet(Dates):
    """Dates by their day numbers; ``source`` says where they come from."""

    tags: ClassVar = Tags("DateSet", days="days", source="source")

    days: frozenset[int]
    source: str = field(default="", compare=False)

    def has(self, day: int) -> bool:
        return day in self.days

    def __str__(self) -> str:
        dates = [date.fromordinal(day + EPOCH).isoformat() for day in sorted(self.days)]
        if len(dates) <= SPELLED and not self.source:
            return "{" + ", ".join(dates) + "}"
        digest = hashlib.blake2b(" ".join(dates).encode(), digest_size=4).hexdigest()
        count = f"{len(dates)} date" + ("" if len(dates) == 1 else "s")
        return f"{{{count}{self.source and ' of ' + self.source} {digest}}}"


@dataclass(frozen=True, slots=True)
class DateFunction(Dates):
    """The dates for which ``function`` is true.

    It has no text: what it is called by stands for it, so a change inside it goes unnoticed.
    """

    function: Callable[[date], object]

    def has(self, day: int) -> bool:
        asked = date.fromordinal(day + EPOCH)
        try:
            return bool(self.function(asked))
        except (Exception, SystemExit) as error:  # a user's function may raise anything
            message = f"{self} failed for {asked}: {describe_error(error)}"
            raise RecurrenceError(message) from error

    def __str__(self) -> str:
        return function_name(self.function)


def function_name(function: object) -> str:
    """A stable name for a function: its own and its module's, where others know that one."""
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    owner = getattr(function, "__self__", None)
    module = getattr(function, "__module__", None) or type(owner).__module__
    return f"{name}()" if module in {"__schedule__", "builtins"} else f"{module}.{name}()"


def date_set(values: Iterable[object], source: str = "") -> DateSet:
    """The set of ``values``, which are dates; raises RecurrenceError at the first that is none."""
    days = set()
    for value in values:
        if isinstance(value, datetime) or not isinstance(value, date):
            raise RecurrenceError(
                f"{value!r} is not a date to leave out; write date(2026, 12, 25), "
                "and combine with times(...) to leave out single instants"
            )
        days.add(value.toordinal() - EPOCH)
    if len(days) > MOST:
        raise RecurrenceError(f"at most {MOST} dates can be left out, not {len(days)}")
    return DateSet(frozenset(days), source)
