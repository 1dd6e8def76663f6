"""The timetable: which event is due next.

It knows instants and numbers of events, no names, no server and no present moment. Instants are UTC
seconds since 1970.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from clock.errors import RecurrenceError
from clock.recurrence.recurrence import Recurrence, newest


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """The occurrence ``scheduled`` of event number ``index`` is to be decided."""

    scheduled: int
    index: int


class Timetable:
    """The coming occurrence of every event, soonest first; at one instant, in the order of the
    events.

    Up to an instant called the horizon nobody could claim: of what an event missed until then only
    the newest occurrence is due. Later ones are due one by one.
    """

    def __init__(self, recurrences: Sequence[Recurrence]) -> None:
        self._recurrences = recurrences
        self._heap: list[tuple[int, int]] = []
        self._held: dict[int, int] = {}
        self._horizon = 0

    def begin(self, index: int, decided: int) -> None:
        """Enter an event whose last decided occurrence is ``decided``.

        Raises RecurrenceError where its recurrence fails or does not go forward; the event is then
        out.
        """
        following = self._following(index, decided)
        if following is not None:
            heapq.heappush(self._heap, (following, index))

    def catch_up(self, horizon: float) -> None:
        """Nobody could claim until ``horizon``; of what passed, each event is due once."""
        self._horizon = max(self._horizon, int(horizon))

    def due(self, now: float, limit: int) -> list[Due]:
        """Take out what is due at ``now``, soonest first, at most ``limit`` occurrences.

        Each must come back: through ``advance`` when it is decided, ``put_back`` when nothing is
        known, ``hold`` when it was refused.
        """
        taken: list[Due] = []
        while self._heap and len(taken) < limit and self._heap[0][0] <= now:
            at, index = heapq.heappop(self._heap)
            pending = self._held.pop(index, at)
            # A held event waited on purpose, so what passed meanwhile was missed like the rest.
            horizon = max(self._horizon, at) if pending != at else self._horizon
            if pending <= horizon:
                pending = newest(self._recurrences[index], pending - 1, horizon) or pending
            taken.append(Due(pending, index))
        return taken

    def advance(self, due: Due, decided: int) -> None:
        """Go on with the event of ``due`` behind its last ``decided`` occurrence. Raises as
        ``begin`` does.
        """
        self.begin(due.index, max(decided, due.scheduled))

    def put_back(self, due: Sequence[Due]) -> None:
        """What was taken is still to be decided."""
        for each in due:
            heapq.heappush(self._heap, (each.scheduled, each.index))

    def hold(self, due: Due, until: float) -> None:
        """What was taken cannot be decided now; it is due again at ``until``."""
        self._held[due.index] = due.scheduled
        heapq.heappush(self._heap, (max(int(until), due.scheduled + 1), due.index))

    def next_due(self) -> int | None:
        """When something is due next, or None."""
        return self._heap[0][0] if self._heap else None

    def _following(self, index: int, after: int) -> int | None:
        try:
            following = self._recurrences[index].next(after)
        except Exception as error:  # a stream of times is the user's code
            raise RecurrenceError(f"{type(error).__name__}: {error}") from error
        if following is not None and following <= after:
            raise RecurrenceError(
                f"its next time, {following}, is not later than its last, {after}"
            )
        return following
