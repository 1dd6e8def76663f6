"""Counting occurrences without walking through them.

Between two clock changes a calendar recurrence is the same on all days that it treats alike, so
those are counted by the day; only what a clock change may touch is walked through.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable
from functools import partial

from clock.recurrence.bounds import Bounded
from clock.recurrence.difference import DaysOff, Difference
from clock.recurrence.elapsed import Elapsed
from clock.recurrence.local_times import Between, OnDays
from clock.recurrence.recurrence import Recurrence, between
from clock.recurrence.spread import Later
from clock.recurrence.union import Union
from clock.recurrence.wall import DAY, Wall
from clock.recurrence.zone import END, Zone, zone

Local = int
"""Seconds since 1970-01-01T00:00 on the local clock."""


def count(recurrence: Recurrence, after: int, until: int) -> int | None:
    """How many occurrences are later than ``after`` and not later than ``until`` (UTC seconds).

    None where only a walk through all of them could tell: a stream, say. What it takes does not
    grow with the span for a recurrence on the local clock or a grid; with its days for a
    combination of those.
    """
    until = min(until, END - 1)
    if until <= after:
        return 0
    match recurrence:
        case Elapsed(period=period, anchor=anchor):
            return (until - anchor) // period - (after - anchor) // period
        case Later(inner=inner, by=by):
            return count(inner, after - by, until - by)
        case Bounded(inner=inner, start=start, until=last):
            return count(inner, max(after, start - 1), min(until, last))
        case Wall():
            return _by_sections(
                recurrence, recurrence.zone, after, until, partial(_of_wall, recurrence)
            )
        case Union() | Difference() | DaysOff() | Between() | OnDays():
            zones = _zones(recurrence)
            if zones is None or len(zones) > 1:
                return None
            own = next(iter(zones), zone("UTC"))
            days = _Days(recurrence)
            return _by_sections(recurrence, own, after, until, days.count)
        case _:
            return None


def is_counted(recurrence: Recurrence) -> bool:
    """Whether ``count`` can tell."""
    return count(recurrence, 0, 1) is not None


def _by_sections(
    recurrence: Recurrence,
    own: Zone,
    after: int,
    until: int,
    calm: Callable[[Local, Local, int], int],
) -> int:
    """``calm`` counts what is later than one local time and not later than another, at an offset,
    where no clock change has a part in it."""
    total = 0
    while after < until:
        segment = own.segment(after + 1)
        begin, end = _calm(own, segment)
        if begin <= after < end:
            stop = min(until, end)
            offset = own.offsets[segment]
            total += calm(after + offset, stop + offset, offset)
        else:
            if after >= end:
                begin, _ = _calm(own, segment + 1)
            stop = min(until, begin)
            total += sum(1 for _ in between(recurrence, after, stop))
        after = stop
    return total


def _calm(own: Zone, segment: int) -> tuple[int, int]:
    """The part of a segment that is later than one instant, and not later than another, in which
    each local time comes once, and none was skipped."""
    starts, offsets = own.starts, own.offsets
    begin, end = starts[segment] - 1, END - 1
    if segment > 0:
        begin += abs(offsets[segment] - offsets[segment - 1])
    if segment + 1 < len(starts):
        end = starts[segment + 1] - 1 - abs(offsets[segment + 1] - offsets[segment])
    return begin, end


def _of_wall(wall: Wall, after: Local, until: Local, _offset: int) -> int:
    first = after // DAY

    def up_to(local: Local) -> int:
        day, second = divmod(local, DAY)
        today = bisect_right(wall.seconds, second) if wall.days.next(day) == day else 0
        return wall.days.how_many(first, day - 1) * len(wall.seconds) + today

    return up_to(until) - up_to(after)


def _zones(recurrence: Recurrence) -> set[Zone] | None:
    """The zones of what is combined; None if a part is not a set of seconds of a day."""
    match recurrence:
        case Elapsed():
            return set()
        case Wall():
            return {recurrence.zone}
        case Union(parts=parts):
            zones = [_zones(part) for part in parts]
        case Difference(kept=kept, taken=taken):
            zones = [_zones(kept), _zones(taken)]
        case DaysOff(kept=kept, zone=own):
            zones = [_zones(kept), {own}]
        case Between(inner=inner, zone=own) | OnDays(inner=inner, zone=own):
            zones = [_zones(inner), {own}]
        case _:
            return None
    known = [part for part in zones if part is not None]
    return set[Zone]().union(*known) if len(known) == len(zones) else None


class _Days:
    """The days of a combination; those of one pattern have the same seconds."""

    def __init__(self, recurrence: Recurrence) -> None:
        self._recurrence = recurrence
        self._sorted: dict[Hashable, list[int]] = {}

    def count(self, after: Local, until: Local, offset: int) -> int:
        total = 0
        for day in range(after // DAY, until // DAY + 1):
            seconds = self._seconds(day, offset)
            total += self._up_to(seconds, until - day * DAY)
            total -= self._up_to(seconds, after - day * DAY)
        return total

    @staticmethod
    def _up_to(seconds: list[int], second: int) -> int:
        if second >= DAY:
            return len(seconds)
        return bisect_right(seconds, second) if second >= 0 else 0

    def _seconds(self, day: int, offset: int) -> list[int]:
        pattern = _pattern(self._recurrence, day, offset)
        instants = self._sorted.get(pattern)
        if instants is None:
            instants = self._sorted[pattern] = sorted(_of_pattern(self._recurrence, pattern))
        return instants


def _pattern(recurrence: Recurrence, day: int, offset: int) -> tuple[Hashable, ...]:
    """The pattern of a day. Days with different seconds differ in it; an empty day has none."""
    match recurrence:
        case Elapsed(period=period, anchor=anchor):
            first = (anchor + offset - day * DAY) % period
            return (first,) if first < DAY else ()
        case Wall(days=days):
            return (True,) if days.next(day) == day else ()
        case Union(parts=parts):
            patterns = tuple(_pattern(part, day, offset) for part in parts)
            return patterns if any(patterns) else ()
        case Difference(kept=kept, taken=taken):
            left = _pattern(kept, day, offset)
            return (left, _pattern(taken, day, offset)) if left else ()
        case DaysOff(kept=kept, dates=dates):
            left = _pattern(kept, day, offset)
            # A function is asked about the days only on which something would be due.
            return left if left and not dates.has(day) else ()
        case Between(inner=inner):
            return _pattern(inner, day, offset)
        case OnDays(inner=inner, days=days):
            left = _pattern(inner, day, offset)
            return left if left and days.next(day) == day else ()
        case _:
            raise TypeError(f"{recurrence!r} has no pattern")


def _of_pattern(recurrence: Recurrence, pattern: tuple[Hashable, ...]) -> frozenset[int]:
    if not pattern:
        return frozenset()
    match recurrence:
        case Elapsed(period=period):
            return frozenset(range(pattern[0], DAY, period))  # type: ignore[call-overload]
        case Wall(seconds=seconds):
            return frozenset(seconds)
        case Union(parts=parts):
            pairs = zip(parts, pattern, strict=True)
            return frozenset[int]().union(*(_of_pattern(part, own) for part, own in pairs))  # type: ignore[arg-type]
        case Difference(kept=kept, taken=taken):
            left, right = pattern
            return _of_pattern(kept, left) - _of_pattern(taken, right)  # type: ignore[arg-type]
        case DaysOff(kept=kept) | OnDays(inner=kept):
            return _of_pattern(kept, pattern)
        case Between(inner=inner):
            return frozenset(filter(recurrence.has, _of_pattern(inner, pattern)))
        case _:
            raise TypeError(f"{recurrence!r} has no pattern")
