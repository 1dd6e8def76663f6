"""What does a tick cost as the number of events grows, with the same number due?

100 events are due at once; the others, up to a million, are due in half a year. The time is that of
the whole tick, with its claim and its log lines. Each size takes turns with 1,000 events. The plot
also has one pass of `rq cron` with 100 jobs due.
"""

from __future__ import annotations

from contextlib import ExitStack
from statistics import median

from redis import Redis

from benchmarks.answer import Answer, Goal
from benchmarks.crowd import few_of_many
from benchmarks.plot import Plot
from benchmarks.ratio import Pairs, pairs
from benchmarks.rq_cron import RqCron
from benchmarks.server import clear_queue, server
from benchmarks.stepped import SteppedClock

DUE = 100
SMALL = 1_000
COUNTS = (10_000, 100_000, 1_000_000)
RQ_CRON_COUNTS = (1_000, 10_000)


def measure(*, quick: bool = False) -> Answer:
    """The goal, and the plot over the number of events."""
    due, small, counts = (5, 10, (20,)) if quick else (DUE, SMALL, COUNTS)
    runs = 2 if quick else 15
    ratios = {count: _against_small(count, small, due, runs) for count in counts}
    theirs = {count: _rq_cron(count, due, runs) for count in ((10,) if quick else RQ_CRON_COUNTS)}
    largest = ratios[counts[-1]]
    ours = [
        (small, median(largest.peer)),
        *((n, median(ticks.ours)) for n, ticks in ratios.items()),
    ]
    return Answer(
        goals=[
            Goal(
                what=f"tick with {due} due, {counts[-1]:,} events against {small:,}",
                measured=largest.cost,
                goal=1.5,
                least=2.0,
            )
        ],
        facts=[
            *(f"{n:,} events, {due} due: {1000 * took:.2f} ms a tick" for n, took in ours),
            *(f"rq cron, {n:,}, {due} due: {1000 * took:.2f} ms" for n, took in theirs.items()),
        ],
        plots=[
            Plot(
                file="tick.svg",
                title=f"A tick with {due} due: seconds",
                lines={"rq cron": list(theirs.items()), "rq-clock": ours},
            )
        ],
    )


def _against_small(count: int, small: int, due: int, runs: int) -> Pairs:
    with ExitStack() as stack:
        clocks = []
        for number in (count, small):
            clock = SteppedClock(stack.enter_context(server()), few_of_many(due, number))
            stack.callback(clock.close)
            clock.fire()
            clocks.append(clock)
        large, little = clocks
        return pairs(runs, large.fire, little.fire)


def _rq_cron(count: int, due: int, runs: int) -> float:
    with server() as url, Redis.from_url(url) as connection:
        cron = RqCron(connection, count, due)
        took = median([cron.fire() for _ in range(min(runs, 5))])
        clear_queue(connection)
    return took
