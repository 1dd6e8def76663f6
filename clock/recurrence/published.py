"""Published instants, which another process computed for a recurrence that cannot be encoded."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Fires at ``instants``, ascending, in UTC seconds since 1970.

    Nothing is known of what comes before the first of them, nor, unless ``is_all``, after the last.
    """

    instants: tuple[int, ...]
    is_all: bool

    def next(self, after: int) -> int | None:
        """The first occurrence later than ``after``; None where there is none, or none is known."""
        position = bisect_right(self.instants, after)
        return self.instants[position] if position < len(self.instants) else None

    def is_moved(self, instant: int) -> bool:
        """Never: these are instants, not local times."""
        return False

    def knows(self, instant: int) -> bool:
        """Whether it is known what happens at ``instant``."""
        if not self.instants:
            return self.is_all
        return self.instants[0] <= instant and (self.is_all or instant <= self.instants[-1])
