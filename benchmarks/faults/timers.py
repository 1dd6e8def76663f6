"""Timers: one thread breaks, repairs and restarts things, each at its time."""

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
        """Run ``action`` in ``seconds``."""
        heapq.heappush(self._heap, (time.monotonic() + seconds, next(self._order), action))

    def do_due(self) -> float:
        """Run what is due; returns the seconds until the next action, at most a fiftieth."""
        while self._heap and self._heap[0][0] <= time.monotonic():
            heapq.heappop(self._heap)[2]()
        rest = self._heap[0][0] - time.monotonic() if self._heap else 1.0
        return min(max(rest, 0.0), 0.02)

    def clear(self) -> None:
        """Drop every action."""
        self._heap.clear()
