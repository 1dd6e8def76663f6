"""Missed: the events that are behind, because nobody could claim for a while."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import NamedTuple

from clock.recurrence.recurrence import Recurrence, newest


class Behind(NamedTuple):
    """The event of row ``row`` is to be caught up from ``pending``, its oldest undecided
    occurrence, to ``horizon``, until when nobody could claim."""

    row: int
    pending: int
    horizon: int


class Missed:
    """Events that are behind, the one whose newest missed occurrence is newest first.

    So what fires often, and was due just now, does not wait for what was due long ago. Instants are
    UTC seconds since 1970.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, Behind]] = []
        self._newest: dict[tuple[int, int], int] = {}

    def __bool__(self) -> bool:
        """Whether an event is behind."""
        return bool(self._heap)

    def put(self, behind: Behind, recurrence: Recurrence) -> None:
        """Let an event wait; raises what its recurrence does."""
        # By identity: an event keeps its recurrence as long as it is here, and many share one.
        key = (id(recurrence), behind.horizon)
        last = self._newest.get(key)
        if last is None:
            instant = newest(recurrence, behind.pending - 1, behind.horizon)
            last = self._newest[key] = behind.pending if instant is None else instant
        heappush(self._heap, (-last, behind))

    def take(self) -> Behind:
        """Take out the first one. Raises IndexError where there is none."""
        _, behind = heappop(self._heap)
        if not self._heap:
            self._newest.clear()
        return behind

    def oldest(self) -> int | None:
        """The pending occurrence of the first one, or None."""
        return self._heap[0][1].pending if self._heap else None
