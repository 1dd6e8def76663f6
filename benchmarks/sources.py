"""Does a source of many rows make an event of the file late?

One event fires every second on an idle machine. The clock runs with that event alone, and with a
source of 50,000 rows in SQLite beside it, which is asked every five seconds: each time all rows are
read and compared, and one of a hundred has changed and is written and taken over. Both take turns
in one run. Lateness is measured as in ``benchmarks.lateness``, once the first rows are in force.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from redis import Redis

from benchmarks.answer import Answer, Goal
from benchmarks.lateness import lateness_of, percentile, spelled
from benchmarks.process import clock, running, wait_for
from benchmarks.server import server
from clock import keys

ALONE = 'from clock import every\n\nevery("1 second", "math.floor", args=[1])\n'
BESIDE = (
    ALONE  # noqa: S608  # the only query in it is a constant
    + """
import itertools
import sqlite3

from clock import source

asked = itertools.count()


def rows():
    number = next(asked)
    with sqlite3.connect({database!r}) as connection:
        connection.row_factory = sqlite3.Row
        for row in connection.execute("SELECT * FROM targets ORDER BY id"):
            yield {{
                "name": row["name"],
                "every": row["period"],
                "tz": row["zone"],
                "task": "math.floor",
                "queue": "other",
                "args": [row["id"], number if row["id"] % 100 == number % 100 else 0],
            }}


source("targets", rows, every="5 seconds", tasks=["math.floor"], max_events={count})
"""
)


def measure(*, quick: bool = False) -> Answer:
    """The goals, and what lies behind them."""
    turns, seconds, count = (1, 6, 1_000) if quick else (3, 30, 50_000)
    alone: list[float] = []
    beside: list[float] = []
    filled: list[float] = []
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        database = _fill(folder / "targets.sqlite", count)
        files = {"alone": ALONE, "beside": BESIDE.format(database=str(database), count=count)}
        for file, text in files.items():
            (folder / f"{file}.py").write_text(text)
        for _ in range(turns):
            with _running(folder / "alone.py") as url:
                alone += lateness_of(url, seconds)
            with _running(folder / "beside.py") as url:
                filled.append(_wait_until_filled(url, count))
                beside += lateness_of(url, seconds)
                assert _version(url) > -(-count // 250) + seconds // 10, "no row has changed"
    p99 = percentile(beside, 99)
    return Answer(
        goals=[
            Goal(
                what=f"lateness beside {count:,} rows that are compared, 1 % changed, p99",
                measured=1000 * p99,
                goal=5.0,
                least=20.0,
                unit="ms",
            ),
        ],
        facts=[
            f"alone, over {len(alone)} s: {spelled(alone)}",
            f"beside the source, over {len(beside)} s: {spelled(beside)}",
            f"median beside it is {median(beside) / median(alone):.2f} of that alone",
            f"all rows in force {median(filled):.1f} s after the first job",
        ],
    )


def _fill(file: Path, count: int) -> Path:
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE targets (id INTEGER, name, period, zone)")
        zones = ("Europe/Berlin", "Asia/Tokyo", "America/New_York")
        connection.executemany(
            "INSERT INTO targets VALUES (?, ?, ?, ?)",
            (
                (n, f"target {n}", f"day at {n % 24:02}:{n // 24 % 60:02}", zones[n % 3])
                for n in range(count)
            ),
        )
    connection.close()
    return file


@contextmanager
def _running(file: Path) -> Iterator[str]:
    with server() as url, running(*clock(file, url)):
        yield url


def _wait_until_filled(url: str, count: int) -> float:
    """Seconds until all rows are in force."""
    begin = time.monotonic()
    with Redis.from_url(url) as connection:
        wait_for("all rows are in force", lambda: connection.hlen(keys.rows("clock")) == count)
    return time.monotonic() - begin


def _version(url: str) -> int:
    with Redis.from_url(url) as connection:
        (last,) = connection.xrevrange(keys.row_changes("clock"), count=1)
    return int(last[0].partition(b"-")[0])
