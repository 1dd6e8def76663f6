"""How soon does an idle worker start a job?

The time from before `Queue.enqueue` to the first line of the task, on one clock of the machine. The
worker is idle when the job comes, and has imported the task (`PRELOAD`). Once one worker waits,
once 50 wait for the same queue. Beside the latency, what the 50 send for a job is counted by
`MONITOR`, less what one sends for it and what each sends while idle.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from redis import Redis
from rq import Queue

from benchmarks.answer import Answer, Goal
from benchmarks.sent import sent
from benchmarks.server import server
from benchmarks.worker import FORKING, OURS, RESULT_TTL, wait_until_idle, worker


def note_start(pipe: str) -> None:
    """Write the instant on ``time.monotonic()`` into a named pipe."""
    at = time.monotonic()
    with open(pipe, "w") as file:
        file.write(f"{at}\n")


def measure(*, quick: bool = False) -> Answer:
    """The goals for one worker and for fifty."""
    crowd, jobs, few = (2, 5, 3) if quick else (50, 1_000, 100)
    with _workers(OURS, 1) as connection:
        alone = _latencies(connection, jobs)
        commands_alone = _commands(connection, few)
    with _workers(FORKING, 1) as connection:
        of_rq = _latencies(connection, few)
    with _workers(OURS, crowd) as connection:
        together = _latencies(connection, few)
        commands = _commands(connection, few) - commands_alone
    return Answer(
        goals=[
            _milliseconds("start on an idle worker, median", median(alone), 3, 6),
            _milliseconds("start on an idle worker, p99", _p99(alone), 10, 25),
            Goal(
                what=f"commands a job of {crowd} idle workers, beyond one worker's",
                measured=commands,
                goal=60,
                least=120,
                unit="commands",
            ),
            _milliseconds(f"start on one of {crowd} idle workers, p99", _p99(together), 10, 25),
        ],
        facts=[
            f"start on an idle worker: {_shown(alone)}; rq worker {_shown(of_rq)}",
            f"on one of {crowd}: {_shown(together)}; {commands:.1f} commands a job beyond "
            f"the {commands_alone:.1f} of one worker",
        ],
    )


def _milliseconds(what: str, seconds: float, goal: float, least: float) -> Goal:
    return Goal(what=what, measured=1000 * seconds, goal=goal, least=least, unit="ms")


def _p99(latencies: list[float]) -> float:
    return quantiles(latencies, n=100, method="inclusive")[-1]


def _shown(latencies: list[float]) -> str:
    return f"median {1000 * median(latencies):.2f} ms, p99 {1000 * _p99(latencies):.2f} ms"


@contextmanager
def _workers(kind: str, count: int) -> Iterator[Redis]:
    with ExitStack() as stack:
        url = stack.enter_context(server())
        connection = stack.enter_context(Redis.from_url(url))
        for number in range(count):
            settings = ["-c", "benchmarks.preloaded"] if kind == OURS else []
            stack.enter_context(worker(kind, url, *settings))
            # One after the other: all at once they would take minutes to import.
            wait_until_idle(connection, number + 1)
        yield connection


def _latencies(connection: Redis, jobs: int) -> list[float]:
    queue = Queue(connection=connection)
    latencies = []
    with TemporaryDirectory(prefix="bench-") as folder:
        pipe = str(Path(folder) / "starts")
        os.mkfifo(pipe)
        with os.fdopen(os.open(pipe, os.O_RDWR), "r") as starts:
            for _ in range(jobs):
                begin = time.monotonic()
                queue.enqueue(note_start, pipe, result_ttl=RESULT_TTL)
                latencies.append(float(starts.readline()) - begin)
                # The worker ends the job and is idle again; at no fixed beat of anything.
                time.sleep(random.uniform(0.02, 0.04))
    return latencies


def _commands(connection: Redis, jobs: int) -> float:
    """The commands sent for a job, without those of the same time without jobs."""
    begin = time.monotonic()
    with sent(connection) as with_jobs:
        _latencies(connection, jobs)
    took = time.monotonic() - begin
    with sent(connection) as idle:
        time.sleep(took)
    return (with_jobs.count - idle.count) / jobs
