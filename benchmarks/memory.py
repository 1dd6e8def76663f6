"""How much memory does an event take?

A process reads a schedule file that makes 100,000 events in a loop, with 300 recurrences. Each
event has its own name, argument and keyword argument. The growth of the process during the reading,
as the kernel counts it, is divided by the number of events. It is measured again once the loop has
enrolled the events and waits. Another process counts with tracemalloc what Python allocated and
kept; the difference is memory that Python needed for a while and did not return to the system.

``python -m benchmarks.memory FILE URL [trace]`` is such a process; it prints what it counted.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from redis import Redis

from benchmarks.answer import Answer, Goal
from benchmarks.crowd import write_mixture
from benchmarks.enrolled import enrolled
from benchmarks.faults.program import CLOCK
from benchmarks.process import resident
from benchmarks.server import server
from clock.ledger.ledger import Ledger
from clock.loop.loop import Loop
from clock.schedule.load import load
from clock.stop import Stop

AT_ONCE = 2
"""Processes side by side: they slow each other down, and count the same."""


def measure(*, quick: bool = False) -> Answer:
    """The goal, and what was counted after reading and after enrolling."""
    count, runs = (200, 1) if quick else (100_000, 5)
    with TemporaryDirectory(prefix="bench-") as name, server() as url:
        file = write_mixture(Path(name) / "schedule.py", count)
        plain = [["benchmarks.memory", str(file), url]] * runs
        with ThreadPoolExecutor(AT_ONCE) as pool:
            counted = list(pool.map(_count, [*plain, [*plain[0], "trace"]]))
    *held, (traced, _) = [(totals[0] / count, totals[1] / count) for totals in counted]
    read, enrolled = (median(sizes) for sizes in zip(*held, strict=True))
    figures = {"resident": read, "allocated by Python": traced}
    return Answer(
        goals=[
            Goal(
                what=f"memory of an event among {count:,}, {name}",
                measured=figure,
                goal=700,
                least=1_200,
                unit="bytes",
            )
            for name, figure in figures.items()
        ],
        facts=[
            f"memory of an event, of {count:,}: {read:,.0f} bytes once read, "
            f"{enrolled:,.0f} with the loop and its timetable, enrolled; "
            f"{traced:,.0f} once read by tracemalloc"
        ],
    )


def _count(words: list[str]) -> tuple[int, int]:
    ended = subprocess.run(
        [sys.executable, "-m", *words],
        env=CLOCK.environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    read, enrolled = map(int, ended.stdout.split())
    return read, enrolled


def _main(file: str, url: str, trace: bool) -> None:
    connection = Redis.from_url(url)
    ledger = Ledger(connection, app="memory", token="memory")
    connection.ping()
    gc.collect()
    if trace:
        tracemalloc.start()
    before = resident()
    events = list(load(file).events.values())
    gc.collect()
    read = tracemalloc.get_traced_memory()[0] if trace else resident() - before
    tracemalloc.stop()
    loop = enrolled(Loop(events, ledger, Stop()))
    gc.collect()
    print(read, resident() - before)
    del loop  # it counts until here


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], "trace" in sys.argv)
