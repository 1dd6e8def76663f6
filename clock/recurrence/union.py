"""Several recurrences as one."""

from __future__ import annotations

from dataclasses import dataclass

from clock.recurrence.recurrence import Recurrence


@dataclass(frozen=True, slots=True)
class Union:
    """Fires when any of ``parts`` does; when several do at one instant, once."""

    parts: tuple[Recurrence, ...]

    def next(self, after: int) -> int | None:
        """The first occurrence later than ``after``; both in UTC seconds since 1970."""
        return min(
            (found for part in self.parts if (found := part.next(after)) is not None), default=None
        )

    def is_moved(self, instant: int) -> bool:
        """Whether one of the parts fires at ``instant`` only because of a gap."""
        return any(part.is_moved(instant) for part in self.parts)
