"""How soon is a crowded minute done?

10,000 events fall on one second. The command of the clock enqueues their jobs while one
`clock.worker.Worker` with one child, which was idle before, runs them. Counted are the seconds from
the first sight of the last event's decision, which is written in one step with its job, to the end
of the last job.
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
from benchmarks.process import clock, running, wait_for
from benchmarks.server import server
from benchmarks.worker import OURS, wait_until_idle, worker
from clock import keys
from clock.ledger.record import parse_record

APP = "clock"
LAST = "event {}"


def measure(*, quick: bool = False) -> Answer:
    """The goal, and each of the crowds."""
    count, runs = (20, 1) if quick else (10_000, 5)
    took = [_drain(count, period=2 if quick else 30) for _ in range(runs)]
    return Answer(
        goals=[
            Goal(
                what=f"{count:,} due in one second, done by one child: after the last was enqueued",
                measured=median(took),
                goal=5.0,
                least=8.0,
                unit="s",
            )
        ],
        facts=[
            f"{count:,} in one second: the last job ends "
            f"{', '.join(f'{seconds:.2f}' for seconds in took)} s after it was enqueued"
        ],
    )


def _drain(count: int, period: int) -> float:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        url = stack.enter_context(server())
        connection = stack.enter_context(Redis.from_url(url))
        stack.enter_context(worker(OURS, url))
        wait_until_idle(connection)
        file = write_crowd(folder / "schedule.py", count, f"{period} seconds")
        decided, last = keys.decided(APP), LAST.format(count - 1)
        clock_process = stack.enter_context(running(*clock(file, url)))
        wait_for("the clock is ready", lambda: connection.hlen(decided) == count)

        def scheduled() -> int:
            line = connection.hget(decided, last)
            assert line is not None
            return parse_record(line).decided

        before = scheduled()
        wait_for("the last of the crowd is decided", lambda: scheduled() != before)
        begin = time.perf_counter()
        # The next crowd must not come while this one is counted.
        clock_process.kill()
        wait_for("every job has ended", lambda: _done(connection) >= count, pause=0.005)
        return time.perf_counter() - begin


def _done(connection: Redis) -> int:
    (name,) = connection.smembers("rq:workers")
    return int(connection.hget(name, "successful_job_count") or 0)
