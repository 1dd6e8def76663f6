"""Real time: every so many seconds, counted from an anchor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from clock.recurrence.anchor import Anchor, anchor_instant, spell_anchor
from clock.recurrence.period import Span
from clock.recurrence.rule import Rule
from clock.recurrence.tags import Tags
from clock.recurrence.wall import Fold, Gap
from clock.recurrence.zone import END, Zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Elapsed:
    """Every ``period`` seconds; the grid passes through ``anchor`` (UTC seconds since 1970).

    Clock changes do not move it, and neither does the start of a process.
    """

    tags: ClassVar = Tags("Elapsed", period="period", anchor="anchor")

    period: int
    anchor: int

    def next(self, after: int) -> int | None:
        following = after + self.period - (after - self.anchor) % self.period
        return following if following < END else None

    def is_moved(self, instant: int) -> bool:
        """Never: real time has no gaps."""
        return False


@dataclass(frozen=True, slots=True)
class SpanRule(Rule):
    """Every so many seconds of real time, on a grid through ``anchor`` or 2001-01-01 local."""

    span: Span
    anchor: Anchor | None = None

    def recurrence(self, zone: Zone, gap: Gap, fold: Fold) -> Elapsed:
        return _elapsed(self.span.seconds, anchor_instant(self.anchor, zone) % self.span.seconds)

    def __str__(self) -> str:
        # "1 hour" and "1 minute" would read as units of the calendar.
        units = {3600: "60 minutes", 60: "60 seconds"}
        words = units.get(self.span.seconds) or spell_seconds(self.span.seconds)
        return words + spell_anchor(self.anchor)


@lru_cache(maxsize=4096)
def _elapsed(period: int, anchor: int) -> Elapsed:
    return Elapsed(period=period, anchor=anchor)


def spell_seconds(seconds: int) -> str:
    """A number of seconds in the largest unit, up to hours, that holds it whole."""
    size = 3600 if seconds % 3600 == 0 else 60 if seconds % 60 == 0 else 1
    count, unit = seconds // size, {3600: "hour", 60: "minute", 1: "second"}[size]
    return f"{count} {unit}" + ("" if count == 1 else "s")
