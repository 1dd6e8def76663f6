"""Either: several recurrences as one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from clock.recurrence.recurrence import Recurrence
from clock.recurrence.rule import Rule
from clock.recurrence.tags import Tags
from clock.recurrence.wall import Fold, Gap
from clock.recurrence.zone import Zone


@dataclass(frozen=True, slots=True)
class Union:
    """Fires when any of ``parts`` does; when several do at one instant, once."""

    tags: ClassVar = Tags("Union", parts="parts")

    parts: tuple[Recurrence, ...]

    def next(self, after: int) -> int | None:
        return min(
            (following for part in self.parts if (following := part.next(after)) is not None),
            default=None,
        )

    def is_moved(self, instant: int) -> bool:
        """Whether one of the parts fires at ``instant`` only because of a gap."""
        return any(part.is_moved(instant) for part in self.parts)


@dataclass(frozen=True, slots=True)
class EitherRule(Rule):
    """``a | b``: when either is due."""

    parts: tuple[Rule, ...]

    def make(self, zone: Zone, gap: Gap, fold: Fold) -> Union:
        return Union(tuple(part.recurrence(zone, gap, fold) for part in self.parts))

    def __str__(self) -> str:
        return " | ".join(str(part) for part in self.parts)
