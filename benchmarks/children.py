"""What does a second child of a worker bring?

A worker with `PROCESSES = 2` against one with a single child, both in turns on the same machine:
with jobs that do nothing, where the server soon is the bound, and with jobs that use the processor
for a millisecond. Two children need two cores; on fewer, or on busy ones, the figures say little.
"""

from __future__ import annotations

import time
from functools import partial

from benchmarks.answer import Answer, Goal
from benchmarks.ratio import Pairs, pairs
from benchmarks.worker import OURS, seconds_a_job


def work(seconds: float) -> None:
    """Use the processor for that long."""
    begin = time.thread_time()
    while time.thread_time() - begin < seconds:
        pass


def measure(*, quick: bool = False) -> Answer:
    """The two goals."""
    runs, many, some = (1, 20, 10) if quick else (5, 20_000, 4_000)
    empty = _two_against_one(runs, partial(seconds_a_job, OURS, many))
    busy = _two_against_one(runs, partial(seconds_a_job, OURS, some, work, 0.001))
    return Answer(
        goals=[
            Goal(
                what="two children, jobs that do nothing, of one's rate",
                measured=empty.speed,
                goal=1.25,
                least=1.15,
            ),
            Goal(
                what="two children, jobs of 1 ms of processor time, of one's rate",
                measured=busy.speed,
                goal=1.6,
                least=1.4,
            ),
        ],
        facts=[
            f"two children against one, jobs that do nothing: {empty.speed:.3g} ({empty.spread}); "
            f"jobs of 1 ms: {busy.speed:.3g} ({busy.spread})"
        ],
    )


def _two_against_one(runs: int, seconds: partial[float]) -> Pairs:
    return pairs(runs, partial(seconds, environ={"CLOCK_PROCESSES": "2"}), seconds)
