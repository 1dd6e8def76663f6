"""What is to be done when: one thread strikes, mends and restarts, each at its time."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable


class Timers:
    """Actions and the moments they are due, in seconds of the monotonic clock."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Have ``action`` done in ``seconds``."""
        heapq.heappush(self._heap, (time.monotonic() + seconds, next(self._order), action))

    def do_due(self) -> float:
        """Do what is due; the seconds until something is again, at most a fiftieth of a second."""
        while self._heap and self._heap[0][0] <= time.monotonic():
            heapq.heappop(self._heap)[2]()
        rest = self._heap[0][0] - time.monotonic() if self._heap else 1.0
        return min(max(rest, 0.0), 0.02)

    def clear(self) -> None:
        """Nothing is to be done any more."""
        self._heap.clear()
