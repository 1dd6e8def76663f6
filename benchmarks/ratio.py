"""Two ways to do the same, measured in turns: ours, the peer's, ours, the peer's, ..."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

Measure = Callable[[], float]
"""Does it once and returns what it cost: seconds, or what else there is to compare."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """What each cost, pair by pair."""

    ours: Sequence[float]
    peer: Sequence[float]

    @property
    def cost(self) -> float:
        """The median of ours over the peer's, pair by pair: below one where ours cost less."""
        return median(one / other for one, other in zip(self.ours, self.peer, strict=True))

    @property
    def speed(self) -> float:
        """The median of the peer's over ours, pair by pair: above one where ours was faster."""
        return median(other / one for one, other in zip(self.ours, self.peer, strict=True))

    @property
    def spread(self) -> str:
        """The least and the greatest of the speeds."""
        speeds = [other / one for one, other in zip(self.ours, self.peer, strict=True)]
        return f"{min(speeds):.3g} to {max(speeds):.3g}"


def pairs(runs: int, ours: Measure, peer: Measure) -> Pairs:
    """Measure both ``runs`` times, in turns, so that what else the machine does meets both."""
    one: list[float] = []
    other: list[float] = []
    for _ in range(runs):
        one.append(ours())
        other.append(peer())
    return Pairs(one, other)


def seconds(work: Callable[[], object]) -> float:
    """How long ``work`` takes. What came before it is collected first."""
    gc.collect()
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
