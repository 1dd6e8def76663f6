"""Bounds: a recurrence from ``start=`` on, up to ``until=``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from clock.errors import RecurrenceError
from clock.recurrence.days import ANCHOR, EPOCH
from clock.recurrence.recurrence import Recurrence
from clock.recurrence.rule import Rule, spell_part
from clock.recurrence.tags import Tags
from clock.recurrence.wall import DAY, Fold, Gap
from clock.recurrence.zone import BEGINNING, END, Zone

Bound = date | datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounded:
    """Fires when ``inner`` does, from ``start`` up to and including ``until`` (UTC seconds)."""

    tags: ClassVar = Tags("Bounded", inner="inner", start="start", until="until")

    inner: Recurrence
    start: int = BEGINNING
    until: int = END

    def next(self, after: int) -> int | None:
        if after >= self.until:
            return None
        following = self.inner.next(max(after, self.start - 1))
        return following if following is not None and following <= self.until else None

    def is_moved(self, instant: int) -> bool:
        return self.inner.is_moved(instant)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundedRule(Rule):
    """A rule from a first day or instant to a last one; a date is in with the whole of its day."""

    inner: Rule
    start: Bound | None = None
    until: Bound | None = None

    def make(self, zone: Zone, gap: Gap, fold: Fold) -> Bounded:
        start = BEGINNING if self.start is None else _first(self.start, zone)
        until = END if self.until is None else _last(self.until, zone)
        inner = self.inner.recurrence(zone, gap, fold)
        if until < start:
            raise RecurrenceError(
                f"until={self.until} is before start={self.start}, so it never fires"
            )
        bounded = Bounded(inner=inner, start=start, until=until)
        if bounded.next(max(start - 1, ANCHOR * DAY)) is None:
            raise RecurrenceError(f"{str(self)!r} never fires: nothing is due within its bounds")
        return bounded

    def __str__(self) -> str:
        words = spell_part(self.inner)
        if self.start is not None:
            words += f" starting {self.start.isoformat()}"
        if self.until is not None:
            words += f" until {self.until.isoformat()}"
        return words


def _first(bound: Bound, zone: Zone) -> int:
    if isinstance(bound, datetime):
        return math.ceil(bound.timestamp())
    return zone.instant((bound.toordinal() - EPOCH) * DAY)


def _last(bound: Bound, zone: Zone) -> int:
    if isinstance(bound, datetime):
        return math.floor(bound.timestamp())
    return zone.instant((bound.toordinal() - EPOCH + 1) * DAY) - 1
