"""A queue of numbers that wait for instants, the soonest first."""

from __future__ import annotations

from heapq import heappop, heappush


class DueQueue:
    """Numbers, each waiting for an instant; at one instant the smallest first.

    It takes some ten bytes a number where many share an instant, and a step costs what is at that
    instant, not what waits behind it.
    """

    def __init__(self) -> None:
        self._instants: list[int] = []
        self._waiting: dict[int, list[int]] = {}

    def put(self, number: int, at: int) -> None:
        """Let ``number`` wait until ``at``."""
        waiting = self._waiting.get(at)
        if waiting is None:
            self._waiting[at] = [number]
            heappush(self._instants, at)
        else:
            heappush(waiting, number)

    def soonest(self) -> int | None:
        """The instant that comes first, or None where nothing waits."""
        return self._instants[0] if self._instants else None

    def take(self) -> tuple[int, int]:
        """Take out what comes first: its instant and its number. Raises IndexError where nothing
        waits.
        """
        at = self._instants[0]
        waiting = self._waiting[at]
        number = heappop(waiting)
        if not waiting:
            del self._waiting[at]
            heappop(self._instants)
        return at, number
