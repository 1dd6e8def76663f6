"""How long does a start take, until the first tick?

The clock is its command, `python -m clock FILE`, from the start of its process until every event is
enrolled on the server. `rq cron` is its command, until it has read its file and registered itself,
after which its first pass follows. Both have the same distinct events, all due at midnight. With 10
events the peer is a Python process that only imports redis and rq.
"""

from __future__ import annotations

import compileall
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from redis import Redis
from rq import cron_scheduler_registry

import clock as clock_package
from benchmarks.answer import Answer, Goal
from benchmarks.crowd import write_crowd
from benchmarks.faults.program import CLOCK
from benchmarks.process import clock, running, wait_for
from benchmarks.ratio import pairs
from benchmarks.server import server
from clock import keys

PACKAGE = Path(clock_package.__file__).parent

DAILY = "day"
"""Due at midnight, UTC, so that no burst falls into a start."""


def measure(*, quick: bool = False) -> Answer:
    """The goals, and the seconds each took."""
    many, few, runs, starts = (30, 3, 1, 1) if quick else (10_000, 10, 5, 15)
    # As pip leaves a package behind: those of the peers are compiled already.
    compileall.compile_dir(PACKAGE, quiet=2)
    with TemporaryDirectory(prefix="bench-") as name, server() as url:
        folder = Path(name)
        files = [write_crowd(folder / f"s{n}.py", n, DAILY) for n in (many, few)]
        theirs = _write_rq_cron(folder / "cron_config.py", many)
        with Redis.from_url(url) as connection:
            large = pairs(
                runs,
                lambda: _clock(files[0], url, connection, many),
                lambda: _rq_cron(theirs, url, connection),
            )
            small = pairs(starts, lambda: _clock(files[1], url, connection, few), _imports)
    return Answer(
        goals=[
            Goal(
                what=f"start with {many:,} events, of `rq cron`'s speed",
                measured=large.speed,
                goal=2.0,
                least=1.0,
            ),
            Goal(
                what=f"start with {few} events, against importing redis and rq",
                measured=small.cost,
                goal=1.15,
                least=1.5,
            ),
        ],
        facts=[
            f"{many:,} events to ready: {median(large.ours):.2f} s; "
            f"rq cron {median(large.peer):.2f} s; {large.speed:.2f} x as fast ({large.spread})",
            f"{few} events to ready: {median(small.ours):.3f} s; importing redis and rq "
            f"{median(small.peer):.3f} s; ratio {small.cost:.2f}",
        ],
    )


def _clock(file: Path, url: str, connection: Redis, count: int) -> float:
    connection.flushall()
    decided = keys.decided("clock")
    begin = time.perf_counter()
    with running(*clock(file, url)):
        wait_for("the clock is ready", lambda: connection.hlen(decided) == count)
        return time.perf_counter() - begin


def _rq_cron(file: Path, url: str, connection: Redis) -> float:
    connection.flushall()
    registry = cron_scheduler_registry.get_registry_key()
    begin = time.perf_counter()
    with running(sys.executable, "-m", "rq.cli", "cron", str(file), "-u", url):
        wait_for("rq cron is ready", lambda: connection.zcard(registry))
        return time.perf_counter() - begin


def _imports() -> float:
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", "import redis, rq; print(flush=True)"],
        env=CLOCK.environment(),
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    took = time.perf_counter() - begin
    process.communicate()
    return took


def _write_rq_cron(file: Path, count: int) -> Path:
    file.write_text(
        "import math\n\nfrom rq import cron\n\n"
        f"for number in range({count}):\n"
        '    cron.register(math.floor, "default", args=(number,), cron="0 0 * * *",\n'
        '                  name=f"event {number}")\n'
    )
    return file
