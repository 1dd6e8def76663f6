"""How long does a burst keep other clients waiting?

A clock in its own process fires 100,000 events at once. Meanwhile a second client sends PING after
PING and measures how long each takes. The claim is a script, and a server answers nobody while a
script runs. The same is measured while the clock enrols its events.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event as Flag
from threading import Thread

from redis import Redis

from benchmarks.answer import Answer, Goal
from benchmarks.crowd import write_crowd
from benchmarks.lateness import percentile
from benchmarks.server import clear_queue, server
from benchmarks.stepped import SteppedProcess

PAUSE = 0.0005
"""Seconds between two PINGs."""


def measure(*, quick: bool = False) -> Answer:
    """The goal, and how long PINGs took."""
    count, runs = (50, 1) if quick else (100_000, 5)
    with ExitStack() as stack:
        url = stack.enter_context(server())
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        connection = stack.enter_context(Redis.from_url(url))
        clock = SteppedProcess(str(write_crowd(folder / "schedule.py", count)), url, "ping")
        stack.callback(clock.close)
        enrolling = _pinged(connection, clock.wait_until_ready)
        alone = _pinged(connection, lambda: time.sleep(0.1))

        def burst() -> None:
            clock.tell()
            clock.hear()

        bursts = []
        for _ in range(runs):
            bursts.append(_pinged(connection, burst))
            assert clear_queue(connection) == count
    longest = median(max(latencies) for latencies in bursts)
    p99 = median(percentile(latencies, 99) for latencies in bursts)
    return Answer(
        goals=[
            Goal(
                what=f"longest PING in a burst of {count:,}",
                measured=1000 * longest,
                goal=20.0,
                least=25.0,
                unit="ms",
            )
        ],
        facts=[
            f"PING in a burst of {count:,}: median {1000 * median(bursts[0]):.2f} ms, "
            f"p99 {1000 * p99:.2f}, most {1000 * longest:.2f}, worst of {runs} bursts "
            f"{1000 * max(max(latencies) for latencies in bursts):.2f}",
            f"while {count:,} are enrolled: p99 {1000 * percentile(enrolling, 99):.2f} ms, "
            f"most {1000 * max(enrolling):.2f}; with nothing going on: "
            f"p99 {1000 * percentile(alone, 99):.2f}, most {1000 * max(alone):.2f}",
        ],
    )


def _pinged(connection: Redis, work: Callable[[], object]) -> list[float]:
    """The seconds of each PING that was sent while ``work`` ran in another thread."""
    over = Flag()

    def run() -> None:
        try:
            work()
        finally:
            over.set()

    thread = Thread(target=run)
    thread.start()
    took: list[float] = []
    while not over.is_set() or not took:
        begin = time.perf_counter()
        connection.ping()
        took.append(time.perf_counter() - begin)
        time.sleep(PAUSE)
    thread.join()
    return took
