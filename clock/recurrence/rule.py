"""A rule: a recurrence as it is written, before it knows its zone.

``every("day", at="09:30")`` gives a rule; with the zone of its event it becomes a recurrence.
``str(rule)`` is its tidy spelling, which listings print.
"""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

from clock.recurrence.combination import Combining
from clock.recurrence.recurrence import Recurrence
from clock.recurrence.wall import Fold, Gap
from clock.recurrence.zone import Zone


class Rule:
    """A recurrence as written. Equal rules with equal zones give one shared recurrence."""

    __slots__ = ()

    def recurrence(self, zone: Zone, gap: Gap, fold: Fold) -> Recurrence:
        """The rule in a zone; raises RecurrenceError where it can never fire."""
        return _shared(self, zone, gap, fold)

    def make(self, zone: Zone, gap: Gap, fold: Fold) -> Recurrence:
        """Makes what ``recurrence`` returns, unless a rule has another way to share it."""
        raise NotImplementedError


@lru_cache(maxsize=16_384)
def _shared(rule: Rule, zone: Zone, gap: Gap, fold: Fold) -> Recurrence:
    return rule.make(zone, gap, fold)


def spell_part(rule: object) -> str:
    """The spelling of a rule within another: a union is put in parentheses."""
    return f"({rule})" if " | " in str(rule) else str(rule)


class Given(Combining, Rule):
    """A rule that says when by itself: no ``at=``, ``on=`` or ``anchor=`` goes with it."""

    __slots__ = ()
    word: ClassVar[str]
    """Its name in a schedule file."""
