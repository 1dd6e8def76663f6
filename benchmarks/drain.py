"""How late is the last of 10,000 jobs while a worker drains the queue?

10,000 events fall on one second. The command of the clock fires them while `rq worker`, RQ's own
command, works on the same queue, the same server and the same cores. The record of the last event
is written in one step with its job. Lateness is the instant at which that record was first seen to
have changed, minus the scheduled second.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from redis import Redis

from benchmarks.answer import Answer, Goal
from benchmarks.crowd import write_crowd
from benchmarks.process import clock, running, wait_for
from benchmarks.server import QUEUE, server
from clock import keys
from clock.ledger.record import parse_record

APP = "clock"

LEFT = 5_000
"""Jobs left for the worker between two crowds; it does some hundred a second."""


def measure(*, quick: bool = False) -> Answer:
    """The goal, and each of the crowds."""
    count, runs, period = (20, 1, 2) if quick else (10_000, 5, 5)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        url = stack.enter_context(server())
        connection = stack.enter_context(Redis.from_url(url))
        file = write_crowd(folder / "schedule.py", count, f"{period} seconds")
        stack.enter_context(running(*clock(file, url)))
        decided = keys.decided(APP)
        wait_for("the clock is ready", lambda: connection.hlen(decided) == count)
        worker = [sys.executable, "-m", "rq.cli", "worker", "-u", url, "--quiet"]
        stack.enter_context(running(*worker))
        last = f"event {count - 1}"
        wait_for("the worker works", lambda: connection.zcard("rq:finished:default"))
        late = [_next_crowd(connection, decided, last) for _ in range(runs)]
        done = connection.zcard("rq:finished:default")
    return Answer(
        goals=[
            Goal(
                what=f"{count:,} due in one second, a worker at work: lateness of the last",
                measured=median(late),
                goal=0.5,
                least=1.0,
                unit="s",
            )
        ],
        facts=[
            f"{count:,} in one second beside a worker: the last is "
            f"{', '.join(f'{seconds:.2f}' for seconds in late)} s late; "
            f"the worker did {done:,} jobs meanwhile"
        ],
    )


def _next_crowd(connection: Redis, decided: str, last: str) -> float:
    def scheduled() -> int:
        line = connection.hget(decided, last)
        assert line is not None
        return parse_record(line).decided

    before = scheduled()
    wait_for("the last of the crowd is decided", lambda: scheduled() != before, pause=0.002)
    seen = time.time()
    late = seen - scheduled()
    # Enough is left for the worker to be at work when the next crowd comes.
    connection.ltrim(QUEUE, 0, LEFT - 1)
    return late
