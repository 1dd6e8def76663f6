"""How soon does a clock stop in the middle of a burst?

The command of the clock fires 20,000 events that fall on one second. When the first jobs are in the
queue, it gets SIGTERM. The time ends when its process is gone, with exit code 0.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from redis import Redis

from benchmarks.answer import Answer, Goal
from benchmarks.crowd import write_crowd
from benchmarks.process import PATIENCE, clock, running, wait_for
from benchmarks.server import QUEUE, server


def measure(*, quick: bool = False) -> Answer:
    """The goal, and each of the stops."""
    count, runs, period = (200, 1, 2) if quick else (20_000, 5, 5)
    with TemporaryDirectory(prefix="bench-") as name, server() as url:
        file = write_crowd(Path(name) / "schedule.py", count, f"{period} seconds")
        stops = [_stop(file, url) for _ in range(runs)]
    took = [seconds for seconds, _ in stops]
    claimed = [jobs for _, jobs in stops]
    return Answer(
        goals=[
            Goal(
                what=f"SIGTERM in a burst of {count:,}, until the process is gone",
                measured=median(took),
                goal=0.5,
                least=1.0,
                unit="s",
            )
        ],
        facts=[
            f"SIGTERM in a burst of {count:,}: gone after "
            f"{', '.join(f'{seconds:.3f}' for seconds in took)} s, "
            f"with {', '.join(f'{jobs:,}' for jobs in claimed)} claimed"
        ],
    )


def _stop(file: Path, url: str) -> tuple[float, int]:
    """Seconds from the signal to the end of the process, and how many jobs there are then."""
    with ExitStack() as stack:
        connection = stack.enter_context(Redis.from_url(url))
        connection.flushall()
        process = stack.enter_context(running(*clock(file, url)))
        wait_for("the first jobs are there", lambda: connection.exists(QUEUE), pause=0.0005)
        begin = time.perf_counter()
        process.terminate()
        assert process.wait(PATIENCE) == 0
        return time.perf_counter() - begin, connection.llen(QUEUE)
