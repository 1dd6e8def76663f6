"""Do two clocks that race slow each other down?

Two processes with the same 10,000 events fire the same minute at once, and are compared with one of
them alone. The time runs from the first start until neither has anything left that is due. Every
job must be there exactly once.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from redis import Redis

from benchmarks.answer import Answer, Goal
from benchmarks.crowd import write_crowd
from benchmarks.ratio import pairs
from benchmarks.server import clear_queue, server
from benchmarks.stepped import SteppedProcess


def measure(*, quick: bool = False) -> Answer:
    """The goal, and how long one and two took."""
    count, runs = (50, 1) if quick else (10_000, 5)
    with ExitStack() as stack:
        url = stack.enter_context(server())
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        file = str(write_crowd(folder / "schedule.py", count))
        clocks = [SteppedProcess(file, url, token) for token in ("one", "two")]
        for clock in clocks:
            stack.callback(clock.close)
            clock.wait_until_ready()
        connection = stack.enter_context(Redis.from_url(url))

        def one() -> float:
            took = _fire(clocks[:1], connection, count)
            # The other's time goes on too; it finds that all is decided.
            _fire(clocks[1:], connection, 0)
            return took

        one()
        races = pairs(runs, lambda: _fire(clocks, connection, count), one)
    two, alone = median(races.ours), median(races.peer)
    return Answer(
        goals=[
            Goal(
                what="two clocks racing, of one's speed", measured=races.speed, goal=0.7, least=0.5
            )
        ],
        facts=[
            f"{count:,} events: one clock {1000 * alone:,.0f} ms, two {1000 * two:,.0f} ms, "
            f"ratio {races.speed:.2f} ({races.spread}); {count:,} jobs each time"
        ],
    )


def _fire(clocks: list[SteppedProcess], connection: Redis, jobs: int) -> float:
    for clock in clocks:
        clock.tell()
    spans = [clock.hear() for clock in clocks]
    came = clear_queue(connection)
    assert came == jobs, f"{came} jobs came of {jobs}"
    return max(end for _, end in spans) - min(begin for begin, _ in spans)
