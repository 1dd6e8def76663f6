"""A recurrence on the local clock: times of day, on a set of days, in a zone.

The rule for clock changes is Debian's cron(8): a fixed local time that is skipped runs at the first
instant after the gap, one that comes twice runs once; a recurrence whose minute or hour is a
wildcard follows real time instead.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from clock.recurrence.days import Days
from clock.recurrence.tags import Tags
from clock.recurrence.zone import END, Zone

DAY = 86_400

Gap = Literal["after", "shift", "skip"]
Fold = Literal["first", "second", "both"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """Local times on local days.

    ``seconds`` are the times of day, ascending, in seconds from local midnight. ``gap`` says what
    a skipped time does: fire at the first instant ``"after"`` the gap, ``"shift"`` by the gap's
    length, or ``"skip"``; ``fold`` in which pass a repeated time fires. With
    ``follows_real_time`` neither applies: what the local clock shows fires, each time it shows it.
    """

    tags: ClassVar = Tags(
        "Wall",
        days="days",
        seconds="seconds",
        zone="zone",
        gap="gap",
        fold="fold",
        follows_real_time="follows_real_time",
    )

    days: Days
    seconds: Sequence[int]
    zone: Zone
    gap: Gap = "after"
    fold: Fold = "first"
    follows_real_time: bool = False

    def next(self, after: int) -> int | None:
        segment = self.zone.segment(after)
        while segment < len(self.zone.starts):
            after = max(after, self.zone.starts[segment] - 1)
            moved = self._moved_into(segment, after)
            following = self._shown_in(segment, after)
            if following is not None and (moved is None or following < moved):
                return following
            if moved is not None:
                return moved
            segment += 1
        return None

    def is_moved(self, instant: int) -> bool:
        """Whether a skipped local time fires at ``instant`` (UTC seconds), by the rule for gaps."""
        return self._moved_into(self.zone.segment(instant), instant - 1) == instant

    def _shown_in(self, segment: int, after: int) -> int | None:
        """The first instant in the segment, later than ``after``, that shows one of the times."""
        starts, offsets = self.zone.starts, self.zone.offsets
        offset = offsets[segment]
        is_last = segment + 1 == len(starts)
        floor = after + offset
        ceiling = (END if is_last else starts[segment + 1]) + offset
        if not self.follows_real_time:
            if self.fold == "first" and segment > 0 and offsets[segment - 1] > offset:
                floor = max(floor, starts[segment] + offsets[segment - 1] - 1)
            if self.fold == "second" and not is_last and offsets[segment + 1] < offset:
                ceiling = starts[segment + 1] + offsets[segment + 1]
        local = self._next_local(floor)
        return local - offset if local is not None and local < ceiling else None

    def _moved_into(self, segment: int, after: int) -> int | None:
        """The first instant later than ``after`` for a time of the gap before the segment."""
        if segment == 0 or self.follows_real_time or self.gap == "skip":
            return None
        start, before, offset = (
            self.zone.starts[segment],
            self.zone.offsets[segment - 1],
            self.zone.offsets[segment],
        )
        if after >= start + max(0, offset - before):
            return None
        if self.gap == "after":
            skipped = self._next_local(start + before - 1)
            return (
                start
                if after < start and skipped is not None and skipped < start + offset
                else None
            )
        skipped = self._next_local(max(after, start - 1) + before)
        return skipped - before if skipped is not None and skipped < start + offset else None

    def _next_local(self, after: int) -> int | None:
        """The first of the times later than ``after``, both in local seconds since 1970."""
        today, second = divmod(after, DAY)
        day = self.days.next(today)
        if day == today:
            position = bisect_right(self.seconds, second)
            if position < len(self.seconds):
                return today * DAY + self.seconds[position]
            day = self.days.next(today + 1)
        return None if day is None else day * DAY + self.seconds[0]


def even_or_all(times: Sequence[int]) -> Sequence[int]:
    """The same ascending times, as a range where they are evenly spaced: it takes no room."""
    if len(times) == 1:
        return tuple(times)
    even = range(times[0], times[-1] + 1, times[1] - times[0])
    return even if list(even) == list(times) else tuple(times)
