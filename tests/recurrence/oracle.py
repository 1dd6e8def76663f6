"""The written rule for clock changes, by brute force over real minutes.

It shares no code with the package. A zone is asked through pytz's public API, minute by minute;
what its clock shows once, twice or never is read off the row of minutes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import pytz

MINUTE = timedelta(minutes=1)
PASSES = {"first": slice(0, 1), "second": slice(-1, None), "both": slice(None)}

Minutes = list[tuple[int, datetime]]
"""Real minutes in order: UTC seconds since 1970, and what the local clock shows, naive."""

Matches = Callable[[datetime], bool]
"""Whether a time on the local clock is one of a recurrence's."""


def minutes(zone: str, start: int, end: int) -> Minutes:
    """Every real minute from ``start`` to before ``end``, with the local time it shows."""
    local = pytz.timezone(zone)
    return [
        (instant, datetime.fromtimestamp(instant, local).replace(tzinfo=None))
        for instant in range(start, end, 60)
    ]


@dataclass(frozen=True)
class Met:
    """What a row of minutes has of a recurrence's times.

    ``shown`` has the instants at which the clock shows each of them, ``skipped`` for each that it
    never shows the instant at which it would have come, and the end of its gap.
    """

    shown: dict[datetime, list[int]]
    skipped: list[tuple[int, int]]


def skipped(row: Minutes) -> list[tuple[datetime, int, int]]:
    """The minutes that a row's clock never shows: the instant at which each would have come, and
    the end of its gap.
    """
    never = []
    for (instant, local), (after_gap, following) in pairwise(row):
        missing = local + MINUTE
        while missing < following:
            instant += 60  # noqa: PLW2901
            never.append((missing, instant, after_gap))
            missing += MINUTE
    return never


def meet(row: Minutes, never: Sequence[tuple[datetime, int, int]], matches: Matches) -> Met:
    """Where the times of a recurrence lie in a row of minutes, and in those it has ``skipped``."""
    shown: dict[datetime, list[int]] = defaultdict(list)
    for instant, local in row[:-1]:
        if matches(local):
            shown[local].append(instant)
    return Met(
        shown, [(instant, after_gap) for local, instant, after_gap in never if matches(local)]
    )


def occurrences(met: Met, *, starred: bool, gap: str, fold: str) -> list[int]:
    """When a recurrence fires; ``starred`` where a star leads its minute or hour."""
    if starred:
        return sorted(instant for instants in met.shown.values() for instant in instants)
    fires = {instant for instants in met.shown.values() for instant in instants[PASSES[fold]]}
    if gap != "skip":
        fires |= {after_gap if gap == "after" else instant for instant, after_gap in met.skipped}
    return sorted(fires)


def changes(zone: str, start: int, end: int, step: int = 5 * 86_400) -> Iterator[int]:
    """The instants at which a zone's offset changes, to the minute; none closer than ``step``."""
    local = pytz.timezone(zone)

    def offset(instant: int) -> timedelta | None:
        return datetime.fromtimestamp(instant, local).utcoffset()

    after = offset(start)
    for begin in range(start, end, step):
        low, high = begin, begin + step
        before, after = after, offset(high)
        while before != after and high - low > 60:
            middle = (low + high) // 120 * 60
            low, high = (middle, high) if offset(middle) == before else (low, middle)
        if before != after:
            yield high
