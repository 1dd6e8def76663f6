"""How many `async def` jobs that wait does one worker with one child finish in a second?

Each job is `asyncio.sleep(0.1)`, and its result is kept for 60 seconds. The jobs are on the queue
before a worker starts; the rate is that between the first end of a job and the last. The peer is
`rq worker`, RQ's own command, on the same jobs. It waits a tenth of a second for each; ours waits
that long for as many as run side by side, and is then bounded by the processor.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from statistics import median
from typing import Any

from redis import Redis
from rq import Queue

from benchmarks.answer import Answer, Goal
from benchmarks.process import running, wait_for
from benchmarks.server import server

SECONDS = 0.1


def measure(*, quick: bool = False) -> Answer:
    """The goals with 100 and with 500 side by side."""
    runs = 1 if quick else 5
    rates: dict[int, list[float]] = {1: [], 100: [], 500: []}
    for _ in range(runs):
        for concurrency, measured in rates.items():
            jobs = 20 if quick or concurrency == 1 else 20 * concurrency
            measured.append(_rate(jobs, concurrency))
    goals = [
        Goal(
            what=f"`async def` jobs of 100 ms, {concurrency} at once: rate over `rq worker`",
            measured=median(
                ours / theirs for ours, theirs in zip(rates[concurrency], rates[1], strict=True)
            ),
            goal=goal,
            least=least,
        )
        for concurrency, goal, least in ((100, 100, 80), (500, 300, 150))
    ]
    facts = [
        f"{'rq worker' if concurrency == 1 else f'one child, {concurrency} at once'}: "
        f"{', '.join(f'{rate:,.1f}' for rate in sorted(measured))} jobs a second"
        for concurrency, measured in rates.items()
    ]
    return Answer(goals=goals, facts=facts)


def _rate(jobs: int, concurrency: int) -> float:
    """Jobs a second of a worker of ours or, for one at a time, of RQ's."""
    with ExitStack() as stack:
        url = stack.enter_context(server())
        connection = stack.enter_context(Redis.from_url(url))
        queue = Queue("default", connection=connection)
        queue.enqueue_many(
            [Queue.prepare_data("asyncio.sleep", (SECONDS,), result_ttl=60) for _ in range(jobs)]
        )
        worker = [sys.executable, "-m", "rq.cli", "worker", "-u", url, "--quiet"]
        if concurrency > 1:
            setting = f"CLOCK_CONCURRENCY={concurrency}"
            worker = ["env", setting, *worker, "-w", "clock.worker.Worker"]
        stack.enter_context(running(*worker))
        finished = _ends(connection, 1)
        begin = time.monotonic()
        rest = jobs - finished
        _ends(connection, jobs)
        return rest / (time.monotonic() - begin)


def _ends(connection: Any, count: int) -> int:
    """Wait until so many jobs have ended; how many have."""
    wait_for(f"{count} jobs end", lambda: connection.zcard("rq:finished:default") >= count)
    return int(connection.zcard("rq:finished:default"))
