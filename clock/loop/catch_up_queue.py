"""The events that are behind because no clock could claim for a while."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from clock.loop.catch_up import catch_up
from clock.loop.due import Behind, Due, TimetableRow
from clock.recurrence.recurrence import newest


class CatchUpQueue:
    """Events that are behind, the one whose newest missed occurrence is newest first.

    So what fires often, and was due just now, does not wait for what was due long ago. Instants are
    UTC seconds since 1970.
    """

    def __init__(self, rows: Sequence[TimetableRow]) -> None:
        self._rows = rows
        self._heap: list[tuple[int, Behind]] = []
        self._newest: dict[tuple[int, int], int] = {}
        self._capped: dict[int, int] = {}
        self._due: dict[tuple[object, ...], Due] = {}
        self._computed_at = 0.0
        self.horizon = 0
        """Until when no clock could claim."""

    def __bool__(self) -> bool:
        """Whether an event is behind."""
        return bool(self._heap)

    def put(self, behind: Behind) -> None:
        """Let an event wait; raises what its recurrence does."""
        recurrence = self._rows[behind.row].recurrence
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

    def due(self, behind: Behind, now: float) -> Due:
        """What is due of an event that was taken out, computed once for all that are alike. Raises
        what its recurrence does.
        """
        row, capped = self._rows[behind.row], self.capped(behind)
        if now != self._computed_at:
            self._due.clear()
            self._computed_at = now
        key = (id(row.recurrence), capped.pending, capped.horizon, row.catch_up, row.within)
        due = self._due.get(key)
        if due is None:
            due = self._due[key] = catch_up(row, capped, now)
        if not self._heap:
            self._due.clear()
        return due._replace(row=behind.row)

    def capped(self, behind: Behind) -> Behind:
        """The same with the newest horizon, or with none where its catch-up cap was applied to that
        already: then each of the rest fires.
        """
        row, pending, horizon = behind
        horizon = max(horizon, self.horizon)
        if self._rows[row].catch_up > 1 and pending <= horizon:
            if self._capped.get(row) == horizon:
                return Behind(row, pending, pending - 1)
            self._capped[row] = horizon
        return Behind(row, pending, horizon)

    def uncap(self, row: int) -> None:
        """Apply the catch-up cap of an event again: what was due of it was not all decided."""
        self._capped.pop(row, None)

    def drop(self, row: int) -> None:
        """Take out the event of ``row``, whether it is behind or not."""
        self._capped.pop(row, None)
        if any(behind.row == row for _, behind in self._heap):
            self._heap = [item for item in self._heap if item[1].row != row]
            heapify(self._heap)

    def forget_computed(self) -> None:
        """Forget what was computed of recurrences, which may be others from here on."""
        self._newest.clear()
        self._due.clear()
