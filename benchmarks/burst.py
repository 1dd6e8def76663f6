"""How fast do 10,000 jobs that are due at once reach the queue?

Every event has its own name and argument, and all are due at the same instant. They go through the
loop as the command runs it: timetable, claim, record, history, counters, and a log line for each
into `/dev/null`. Two others take turns with it in the same run. The floor is a script that writes
the same jobs but decides and records nothing: it gets 500 new ids per call, and the other fields of
RQ's job hash once. `rq cron` is its own `CronScheduler` in this process: one pass of its loop with
every job due, and its log into `/dev/null` as well. For 100,000 events the rate of `rq cron` with
10,000 is taken, as more are not faster. Between runs the jobs are removed and counted: each
must be there exactly once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from redis import Redis

from benchmarks.answer import Answer, Goal
from benchmarks.crowd import crowd
from benchmarks.floor import Floor
from benchmarks.others import others
from benchmarks.plot import Plot
from benchmarks.ratio import Measure, pairs
from benchmarks.rq_cron import RqCron
from benchmarks.server import QUEUE, clear_queue, in_scripts, server
from benchmarks.stepped import SteppedClock

COUNTS = (100, 1_000, 10_000, 100_000)
JUDGED = (10_000, 100_000)
MOST_FOR_RQ_CRON = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Of ``count`` events: seconds of ours, of the floor and of ``rq cron``, and the ratios.

    ``scripts`` are the seconds that ours and the floor have the server at work.
    """

    count: int
    ours: float
    floor: float
    rq_cron: float
    to_floor: float
    to_rq_cron: float
    spread: str
    scripts: Sequence[float]


def measure(*, quick: bool = False) -> Answer:
    """The goals, the rates behind them, and the plot over the number of events."""
    counts, judged = ((10, 50), (50,)) if quick else (COUNTS, JUDGED)
    runs = 1 if quick else 5
    bursts = [_burst(count, runs) for count in counts]
    facts = [
        f"{burst.count:,} events: {burst.count / burst.ours:,.0f} jobs a second; "
        f"floor {burst.count / burst.floor:,.0f}, ratio {burst.to_floor:.2f} "
        f"({burst.spread}); rq cron {burst.count / burst.rq_cron:,.0f}, {burst.to_rq_cron:.1f} x"
        for burst in bursts
    ]
    shares = [
        f"of {1000 * burst.ours:,.1f} ms for {burst.count:,} events the server is in scripts for "
        f"{1000 * burst.scripts[0]:,.1f}; of the floor's {1000 * burst.floor:,.1f} for "
        f"{1000 * burst.scripts[1]:,.1f}"
        for burst in bursts
        if burst.count in judged
    ]
    return Answer(
        goals=[goal for burst in bursts if burst.count in judged for goal in _goals(burst)],
        facts=[*facts, *shares, *others(50 if quick else 1_000, runs)],
        plots=[
            Plot(
                file="burst.svg",
                title="From due to enqueued: seconds for all of them",
                lines={
                    "rq cron": [(burst.count, burst.rq_cron) for burst in bursts],
                    "rq-clock": [(burst.count, burst.ours) for burst in bursts],
                    "floor": [(burst.count, burst.floor) for burst in bursts],
                },
            )
        ],
    )


def _goals(burst: Burst) -> Iterator[Goal]:
    due = f"burst of {burst.count:,}"
    yield Goal(what=f"{due}, of the floor's speed", measured=burst.to_floor, goal=0.8, least=0.5)
    yield Goal(what=f"{due}, of `rq cron`'s", measured=burst.to_rq_cron, goal=35, least=20)


def _burst(count: int, runs: int) -> Burst:
    with server() as url:
        clock = SteppedClock(url, crowd(count))
        # Not the clock's connection: taking jobs away may last longer than it waits.
        own = Redis.from_url(url)
        theirs = Redis.from_url(url, db=2)
        below = Redis.from_url(url, db=1)
        try:
            clock.fire()
            floor = Floor(below, QUEUE, _fields(own))
            asked = min(count, MOST_FOR_RQ_CRON)
            cron = RqCron(theirs, asked)
            clear_queue(own)
            ours = _counted(clock.fire, own, count)
            write = _counted(lambda: floor.write(count), below, count)
            lowest = pairs(runs, ours, write)
            scripts = [_in_scripts(variant, own) for variant in (ours, write)]
            others = pairs(runs, ours, _counted(cron.fire, theirs, asked, count / asked))
        finally:
            clock.close()
            own.close()
            theirs.close()
            below.close()
    return Burst(
        count=count,
        ours=median(lowest.ours),
        floor=median(lowest.peer),
        rq_cron=median(others.peer),
        to_floor=lowest.speed,
        to_rq_cron=others.speed,
        spread=lowest.spread,
        scripts=scripts,
    )


def _fields(connection: Redis) -> dict[bytes, bytes]:
    """The hash of one of the jobs that wait."""
    first: Any = connection.lindex(QUEUE, 0)
    fields: Any = connection.hgetall(b"rq:job:" + first)
    return dict(fields)


def _in_scripts(burst: Measure, connection: Redis) -> float:
    before = in_scripts(connection)
    burst()
    return in_scripts(connection) - before


def _counted(burst: Measure, connection: Redis, jobs: int, scale: float = 1.0) -> Measure:
    """A burst whose jobs are taken away afterwards, and must be that many."""

    def once() -> float:
        took = burst()
        came = clear_queue(connection)
        assert came == jobs, f"{came} jobs came of {jobs}"
        return took * scale

    return once
