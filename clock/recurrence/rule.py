"""A rule: a recurrence as it is written, before it knows its zone.

``every("day", at="09:30")`` gives a rule; with the zone of its event it becomes a recurrence.
``str(rule)`` is its tidy spelling, which listings print.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

from clock.recurrence.combination import Combining
from clock.recurrence.recurrence import Recurrence
from clock.recurrence.wall import Fold, Gap
from clock.recurrence.zone import Zone


class Rule(Protocol):
    """A recurrence as written. Equal rules with equal zones give one shared recurrence."""

    def recurrence(self, zone: Zone, gap: Gap, fold: Fold) -> Recurrence:
        """The rule in a zone; raises RecurrenceError where it can never fire."""
        ...


def spell_part(rule: object) -> str:
    """The spelling of a rule within another: a union is put in parentheses."""
    return f"({rule})" if " | " in str(rule) else str(rule)


class Given(Combining):
    """A rule that says when by itself: no ``at=``, ``on=`` or ``anchor=`` goes with it."""

    __slots__ = ()
    word: ClassVar[str]
    """Its name in a schedule file."""

    def recurrence(self, zone: Zone, gap: Gap, fold: Fold) -> Recurrence:
        """The rule in a zone; raises RecurrenceError where it can never fire."""
        raise NotImplementedError
