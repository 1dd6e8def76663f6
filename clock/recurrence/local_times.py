"""Only at some local times: between two times of day, or on some days.

What counts is what the event's own clock shows when it fires: in a repeated hour both passes, and
for a time that a clock change moved, the time to which it was moved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from clock.errors import RecurrenceError
from clock.recurrence.days import Days
from clock.recurrence.difference import check_something_is_left
from clock.recurrence.recurrence import Recurrence
from clock.recurrence.rule import Rule, spell_part
from clock.recurrence.tags import Tags
from clock.recurrence.wall import DAY, Fold, Gap
from clock.recurrence.zone import END, Zone

SEARCHED = 80 * 366
"""A search gives up after this many closed spans in a row."""

Local = int
"""Seconds since 1970-01-01T00:00 on the local clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """Fires when ``inner`` does, from ``first`` to ``last``, both included.

    These are seconds from local midnight; over midnight where ``last`` is earlier than ``first``.
    """

    tags: ClassVar = Tags("Between", inner="inner", first="first", last="last", zone="zone")

    inner: Recurrence
    first: int
    last: int
    zone: Zone

    def next(self, after: int) -> int | None:
        """Raises RecurrenceError where ``SEARCHED`` days in a row have nothing."""
        return _next(self.inner, self.zone, after, self._opens)

    def is_moved(self, instant: int) -> bool:
        return self.inner.is_moved(instant)

    def has(self, second: int) -> bool:
        """Whether a time of day, in seconds, lies between the two."""
        if self.first <= self.last:
            return self.first <= second <= self.last
        return second >= self.first or second <= self.last

    def _opens(self, local: Local) -> Local:
        day, second = divmod(local, DAY)
        if self.has(second):
            return local
        return (day if second < self.first else day + 1) * DAY + self.first


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDays:
    """Fires when ``inner`` does, on local days that are among ``days``."""

    tags: ClassVar = Tags("OnDays", inner="inner", days="days", zone="zone")

    inner: Recurrence
    days: Days
    zone: Zone

    def next(self, after: int) -> int | None:
        """Raises RecurrenceError where ``SEARCHED`` times in a row nothing is left."""
        return _next(self.inner, self.zone, after, self._opens)

    def is_moved(self, instant: int) -> bool:
        return self.inner.is_moved(instant)

    def _opens(self, local: Local) -> Local | None:
        today = local // DAY
        day = self.days.next(today)
        return local if day == today else None if day is None else day * DAY


def _next(
    inner: Recurrence, zone: Zone, after: int, opens: Callable[[Local], Local | None]
) -> int | None:
    """The first occurrence later than ``after`` at a local time that is open.

    ``opens`` returns the first open local time at or after one, None where there is no other.
    """
    following = inner.next(after)
    for _ in range(SEARCHED):
        if following is None:
            return None
        segment = zone.segment(following)
        local = following + zone.offsets[segment]
        opening = opens(local)
        if opening == local:
            return following
        jump = END if opening is None else opening - zone.offsets[segment]
        # Behind a clock change the local time may be one that was passed already.
        if segment + 1 < len(zone.starts):
            jump = min(jump, zone.starts[segment + 1])
        if jump >= END:
            return None
        following = inner.next(max(following, jump - 1))
    raise RecurrenceError("nothing is left at these times or on these days")


@dataclass(frozen=True, slots=True)
class BetweenRule(Rule):
    """A rule only from one time of day to another, in seconds from local midnight."""

    inner: Rule
    first: int
    last: int

    def make(self, zone: Zone, gap: Gap, fold: Fold) -> Between:
        inner = self.inner.recurrence(zone, gap, fold)
        made = Between(inner=inner, first=self.first, last=self.last, zone=zone)
        check_something_is_left(self, inner, made)
        return made

    def __str__(self) -> str:
        return f"{spell_part(self.inner)} between {spell_span(self.first, self.last)}"


@dataclass(frozen=True, slots=True)
class OnDaysRule(Rule):
    """A rule only on some days; ``text`` says which."""

    inner: Rule
    days: Days
    text: str

    def make(self, zone: Zone, gap: Gap, fold: Fold) -> OnDays:
        inner = self.inner.recurrence(zone, gap, fold)
        made = OnDays(inner=inner, days=self.days, zone=zone)
        check_something_is_left(self, inner, made)
        return made

    def __str__(self) -> str:
        return f"{spell_part(self.inner)} on {self.text}"


def spell_span(first: int, last: int, joint: str = "-") -> str:
    """Two times of day, in seconds, with ``joint`` between them: ``09:00-13:30``."""
    return f"{_clock(first)}{joint}{_clock(last)}"


def _clock(second: int) -> str:
    hour, minute, rest = second // 3600, second // 60 % 60, second % 60
    return f"{hour:02}:{minute:02}" + (f":{rest:02}" if rest else "")
