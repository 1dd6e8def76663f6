"""A recurrence of real time: every so many seconds, counted from an anchor."""

from __future__ import annotations

from dataclasses import dataclass

from clock.recurrence.zone import END


@dataclass(frozen=True, slots=True, kw_only=True)
class Elapsed:
    """Every ``period`` seconds; the grid passes through ``anchor`` (UTC seconds since 1970).

    Clock changes do not move it, and neither does the start of a process.
    """

    period: int
    anchor: int

    def next(self, after: int) -> int | None:
        """The first occurrence later than ``after``; both in UTC seconds since 1970."""
        found = after + self.period - (after - self.anchor) % self.period
        return found if found < END else None

    def is_moved(self, instant: int) -> bool:
        """Never: real time has no gaps."""
        return False
