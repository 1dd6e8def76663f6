"""The interface of a recurrence, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol

from clock.recurrence.zone import BEGINNING, Zone

Mark = Literal["gap", "fold"]
"""``"gap"``: an occurrence stands for a local time that a clock change skipped. ``"fold"``: its
local time comes twice."""


class Recurrence(Protocol):
    """When: a pure function of time. Instants are whole UTC seconds since 1970-01-01T00:00:00Z."""

    def next(self, after: int) -> int | None:
        """The first occurrence later than ``after``, or None where there is no other."""
        ...

    def is_moved(self, instant: int) -> bool:
        """Whether the occurrence at ``instant`` stands for a local time that was skipped."""
        ...

    def __hash__(self) -> int:
        """Equal recurrences share what is computed of them."""
        ...


def mark_of(recurrence: Recurrence, zone: Zone, instant: int) -> Mark | None:
    """Whether the local time of the occurrence at ``instant`` was skipped or comes twice."""
    if recurrence.is_moved(instant):
        return "gap"
    return "fold" if zone.is_repeated(instant) else None


def between(recurrence: Recurrence, after: int, until: int | None) -> Iterator[int]:
    """The occurrences later than ``after``, up to and including ``until``, in order."""
    instant = recurrence.next(after)
    while instant is not None and (until is None or instant <= until):
        yield instant
        instant = recurrence.next(instant)


def before(recurrence: Recurrence, instant: int) -> int | None:
    """The last occurrence earlier than ``instant``, or None. Raises what the recurrence does."""
    span = 60
    while True:
        after = max(instant - 1 - span, BEGINNING - 1)
        earlier = newest(recurrence, after, instant - 1)
        if earlier is not None or after < BEGINNING:
            return earlier
        # A span eight times as long costs three questions more, and soon reaches everything.
        span *= 8


def newest(recurrence: Recurrence, after: int, until: int) -> int | None:
    """The last occurrence later than ``after`` and not later than ``until``, or None.

    Found by halving the span: about two dozen questions for a year, however many occur in it.
    """
    first = recurrence.next(after)
    if first is None or first > until:
        return None
    low, high, instant = first, until, first
    # Invariant: `instant` is the first occurrence at or after `low`; none lies between.
    while low < high:
        middle = (low + high) // 2
        later = recurrence.next(middle)
        if later is not None and later <= until:
            low = instant = later
        else:
            high = middle
    return instant
