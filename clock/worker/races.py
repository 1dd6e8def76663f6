"""The race for a job: of many idle children that are notified of it, one gets it."""

from __future__ import annotations

import random

from clock.worker.step import EndResult, Reply, TakeResult

WAIT = 0.001
"""Seconds that a child waits before a race, at most, for each that it lost since it won one."""

LONGEST = 20
"""Races that count. The first of fifty children asks after some tenths of a millisecond then, and
the others are not all at work at that moment; one that is alone in the end waits 20 ms at most."""


class Races:
    """The races that a child took part in. One that never loses, since it is alone, never waits."""

    def __init__(self) -> None:
        self._lost = 0
        self._is_on = False

    def begin(self) -> float:
        """The child was notified, and asks for the job after so many seconds."""
        self._is_on = True
        return random.uniform(0, WAIT * min(self._lost, LONGEST))  # noqa: S311

    def count(self, reply: Reply) -> None:
        """The server answered what the child got."""
        if reply.taken is TakeResult.JOB or reply.ended is not EndResult.NOTHING:
            self._lost = 0
        elif self._is_on and reply.taken is TakeResult.EMPTY:
            self._lost += 1
        self._is_on = False
