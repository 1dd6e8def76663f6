"""A real worker and a real clock that disagree about the serializer say so when they start."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis
from rq import Queue, Worker

from clock.ledger.serializers import meet_clocks, meet_workers
from tests.live.conftest import StartClock, WriteSchedule
from tests.live.server import Server
from tests.live.worker import work_off

OURS = ["-w", "clock.worker.Worker"]


@pytest.fixture
def folder(tmp_path: Path, redis: Redis) -> Path:
    """Where a worker starts, on a server whose clock writes JSON into ``default``."""
    meet_workers(redis, app="shop", serializer="json", queues=["default"])
    (tmp_path / "json_settings.py").write_text("SERIALIZER = 'json'\n")
    return tmp_path


@pytest.mark.parametrize(
    ("options", "reads"),
    [
        ([], "pickle"),
        (["-c", "json_settings"], None),
        (["-S", "json"], None),
        (["-c", "json_settings", "-S", "pickle"], "pickle"),
    ],
    ids=["default", "settings", "command line", "both"],
)
def test_a_worker_that_cannot_read_a_clock_s_jobs_logs_one_line(
    options: list[str], reads: str | None, folder: Path, server: Server
) -> None:
    printed = work_off(folder, server.url, "default", options=[*OURS, *options])
    lines = [line for line in printed.splitlines() if "serializer" in line]
    if reads is None:
        assert lines == []
    else:
        (line,) = lines
        assert f"this worker reads {reads}, but the clock shop writes json" in line


def test_a_clock_whose_jobs_a_worker_cannot_read_logs_one_line(
    redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    worker = Worker([Queue("default", connection=redis)], connection=redis, name="one")
    worker.register_birth()  # type: ignore[no-untyped-call]
    meet_clocks(redis, worker_key=worker.key, serializer="json", queues=["default"])
    clock = start_clock(write_schedule("every('day', 'tasks.x')"))
    line = clock.wait_for_line("serializer")
    assert "this clock writes pickle, but the worker one reads json" in line["reason"]
    assert len(clock.lines("serializer")) == 1
