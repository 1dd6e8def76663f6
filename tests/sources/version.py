"""One version of a schedule file with a source, whose clock is taken turn by turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from redis import Redis
from rq import Queue
from rq.job import Job

from clock import Schedule, load
from clock.ledger.ledger import Ledger
from clock.loop.loop import Loop
from clock.sources.service import SourceService
from clock.stop import Stop

START = 1_800_000_000
APP = "test"
HEAD = "from clock import defaults, every, source, timezone\ntimezone('UTC')\n"

Rows = list[dict[str, Any]]


def row(name: str, every: str = "10 seconds", **words: Any) -> dict[str, Any]:
    """A row."""
    return {"name": name, "every": every, "task": "tasks.x"} | words


def schedule(
    folder: Path,
    rows: Callable[[], Iterable[Any]],
    *lines: str,
    source: str = "crawls",
    tasks: Sequence[str] = ("tasks.*",),
) -> Schedule:
    """A schedule with one source, of the function ``rows``, and more ``lines``."""
    file = folder / "schedule.py"
    declared = f"source({source!r}, rows_of_test, every=10, tasks={tasks!r})"
    file.write_text("\n".join((HEAD, *lines, declared if source else "")) + "\n")
    vars(__import__("builtins"))["rows_of_test"] = rows
    try:
        return load(file)
    finally:
        del vars(__import__("builtins"))["rows_of_test"]


class Version:
    """The clock of one version; its turns are taken at given seconds after START."""

    def __init__(
        self,
        redis: Redis,
        schedule: Schedule,
        token: str = "one",
        *,
        timeout: float = 30.0,
        serializer: str = "pickle",
    ) -> None:
        self._now = float(START)
        self.schedule = schedule
        own: dict[str, Any] = {"app": APP, "token": token, "serializer": serializer}
        self.service = SourceService(
            redis,
            schedule,
            now=lambda: self._now,
            monotonic=lambda: self._now,
            timeout=timeout,
            **own,
        )
        self._loop = Loop(
            list(schedule.events.values()),
            Ledger(redis, has_sources=True, **own),
            Stop(),
            now=lambda: self._now,
            rows=self.service.changes,
        )

    def follow(self, moment: float, *, waits: bool = True) -> None:
        """Follow the rows and ask what is due; with ``waits`` until it has answered."""
        self._now = START + moment
        deadline = time.monotonic() + 10
        self.service.step(0.0)
        while waits and self.service.is_waiting:
            assert time.monotonic() < deadline, "the source does not answer"
            self.service.step(0.0)

    def tick(self, moment: float) -> None:
        """One tick of its loop."""
        self._now = START + moment
        self._loop.tick()

    def at(self, moment: float, *, waits: bool = True) -> None:
        """Follow the rows, ask what is due, and tick."""
        self.follow(moment, waits=waits)
        self.tick(moment)

    def run(self, first: int, last: int, *, waits: bool = True) -> None:
        """A turn each second, from ``first`` to ``last``."""
        for moment in range(first, last + 1):
            self.at(moment, waits=waits)


def jobs(redis: Redis) -> list[Job]:
    """The jobs on the queue."""
    return Queue("default", connection=redis).jobs


def fired(redis: Redis, name: str | None = None) -> list[str]:
    """The jobs as ``event+seconds after START``."""
    marks = [job.meta["clock"] for job in jobs(redis)]
    return [
        f"{mark['event']}+{_seconds(mark['scheduled_at'])}"
        for mark in marks
        if name in (None, mark["event"])
    ]


def _seconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) - START
