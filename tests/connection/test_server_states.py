"""A server that answers with errors: each is survived, logged once, and caught up after."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError, ResponseError

from clock import Schedule
from clock.connection.client import connect
from clock.errors import ServerError
from clock.ledger.ledger import Ledger
from clock.loop.loop import Loop
from clock.stop import Stop
from tests.conftest import ReadSchedule
from tests.live.jobs import scheduled
from tests.live.port import free_port
from tests.live.valkey_process import ValkeyProcess
from tests.live.waiting import wait_for

START = 1_800_000_000

State = Callable[[ValkeyProcess, Redis], AbstractContextManager[None]]


class Passes:
    """A clock whose passes are made one by one, at given seconds after START."""

    def __init__(self, schedule: Schedule, connection: Redis) -> None:
        self._now = float(START)
        ledger = Ledger(connection, app="test", token="t")
        self._loop = Loop(list(schedule.events.values()), ledger, Stop(), now=lambda: self._now)

    def at(self, *moments: float) -> None:
        for moment in moments:
            self._now = START + moment
            self._loop.tick()


@pytest.fixture(autouse=True)
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO, logger="clock"):
        yield caplog


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ValkeyProcess]:
    server = ValkeyProcess(tmp_path / "server", "busy-reply-threshold 20")
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def redis(server: ValkeyProcess) -> Iterator[Redis]:
    """The operator's connection, which the states under test do not affect."""
    with Redis.from_url(server.url) as connection:
        yield connection


@contextmanager
def _replica_of_another(server: ValkeyProcess, redis: Redis) -> Iterator[None]:
    redis.replicaof("127.0.0.1", free_port())
    yield
    redis.replicaof("NO", "ONE")


@contextmanager
def _replica_without_its_master(server: ValkeyProcess, redis: Redis) -> Iterator[None]:
    redis.config_set("replica-serve-stale-data", "no")
    with _replica_of_another(server, redis):
        yield


@contextmanager
def _out_of_memory(server: ValkeyProcess, redis: Redis) -> Iterator[None]:
    redis.config_set("maxmemory", 1)
    yield
    redis.config_set("maxmemory", 0)


@contextmanager
def _too_few_replicas(server: ValkeyProcess, redis: Redis) -> Iterator[None]:
    redis.config_set("min-replicas-to-write", 1)
    yield
    redis.config_set("min-replicas-to-write", 0)


@contextmanager
def _requires_a_password(server: ValkeyProcess, redis: Redis) -> Iterator[None]:
    redis.config_set("requirepass", "another")
    redis.client_kill_filter(skipme=True, _type="normal")
    yield
    redis.config_set("requirepass", "")


@contextmanager
def _loading(server: ValkeyProcess, redis: Redis) -> Iterator[None]:
    with redis.pipeline() as pipeline:
        for number in range(6000):
            pipeline.set(f"ballast:{number}", "x" * 100)
        pipeline.execute()
    redis.save()
    server.stop()
    before, server.options = (
        server.options,
        (
            *server.options,
            "key-load-delay 2000",
            "rdbcompression no",
            "loading-process-events-interval-bytes 1024",
        ),
    )
    server.start()
    server.options = before
    yield
    redis.config_set("key-load-delay", 0)
    wait_for("the server has loaded", lambda: redis.info("persistence")["loading"] == 0)


@contextmanager
def _busy(server: ValkeyProcess, redis: Redis) -> Iterator[None]:
    def run_forever() -> None:
        with suppress(RedisError), Redis.from_url(server.url) as other:
            other.eval("while true do end", 0)

    def answers_busy() -> bool:
        try:
            return not redis.ping()
        except ResponseError as error:
            return str(error).startswith("BUSY")

    thread = threading.Thread(target=run_forever)
    thread.start()
    wait_for("the server is busy", answers_busy)
    yield
    redis.script_kill()
    thread.join()


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (_replica_of_another, "ReadOnlyError: "),
        (_replica_without_its_master, "MasterDownError: "),
        (_out_of_memory, "OutOfMemoryError: "),
        (_too_few_replicas, "ResponseError: NOREPLICAS "),
        (_requires_a_password, "AuthenticationError: "),
        (_loading, "BusyLoadingError: "),
        (_busy, "ResponseError: BUSY "),
    ],
)
def test_an_error_state_is_logged_once_and_caught_up_after(
    state: State,
    reason: str,
    server: ValkeyProcess,
    redis: Redis,
    read: ReadSchedule,
    logged: pytest.LogCaptureFixture,
) -> None:
    passes = Passes(read("every('10 seconds', 'tasks.x', catch_up='all')"), connect(server.url))
    passes.at(0, 10)
    with state(server, redis):
        passes.at(20, 20.1, 21, 30, 31)
    passes.at(32, 40)
    assert scheduled(redis, "tasks.x") == [START + at for at in (10, 20, 30, 40)]
    away, back = _messages(logged)
    assert away.startswith(f"server away: {reason}")
    assert back == "server back: None"


def test_a_password_that_was_changed_is_logged_once_and_not_shown(
    server: ValkeyProcess, redis: Redis, read: ReadSchedule, logged: pytest.LogCaptureFixture
) -> None:
    redis.config_set("requirepass", "before")
    url = server.url.replace("//", "//:before@")
    passes = Passes(read("every('10 seconds', 'tasks.x', catch_up='all')"), connect(url))
    passes.at(0, 10)
    redis.config_set("requirepass", "after")
    redis.client_kill_filter(skipme=True, _type="normal")
    passes.at(20, 21, 30)
    redis.config_set("requirepass", "before")
    passes.at(31)
    assert scheduled(redis, "tasks.x") == [START + at for at in (10, 20, 30)]
    away, _back = _messages(logged)
    assert away.startswith("server away: AuthenticationError: ")
    assert "before" not in away


def test_a_script_flush_between_any_two_passes_changes_nothing(
    server: ValkeyProcess, redis: Redis, read: ReadSchedule, logged: pytest.LogCaptureFixture
) -> None:
    passes = Passes(read("every('10 seconds', 'tasks.x')"), connect(server.url))
    for moment in (0, 10, 20, 30):
        passes.at(moment)
        redis.script_flush()
    assert scheduled(redis, "tasks.x") == [START + at for at in (10, 20, 30)]
    assert _messages(logged) == []


def test_a_change_of_state_is_logged(
    server: ValkeyProcess, redis: Redis, read: ReadSchedule, logged: pytest.LogCaptureFixture
) -> None:
    passes = Passes(read("every('10 seconds', 'tasks.x', catch_up='all')"), connect(server.url))
    passes.at(0)
    with _out_of_memory(server, redis):
        passes.at(10, 11)
    with _replica_of_another(server, redis):
        passes.at(12, 13)
    with _out_of_memory(server, redis):
        passes.at(14, 15)
    passes.at(16)
    kinds = [line.split(": ")[1] for line in _messages(logged)]
    assert kinds == ["OutOfMemoryError", "ReadOnlyError", "None"]
    assert scheduled(redis, "tasks.x") == [START + 10]


def test_a_state_whose_text_changes_with_each_try_is_logged_once(
    redis: Redis,
    read: ReadSchedule,
    logged: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries = iter(range(100))

    def refuse(*_: object) -> list[int]:
        raise ServerError(f"ConnectionError: port {next(tries)} is closed", "ConnectionError")

    monkeypatch.setattr(Ledger, "enrol_in_parts", refuse)
    Passes(read("every('10 seconds', 'tasks.x')"), redis).at(0, 1, 2)
    assert _messages(logged) == ["server away: ConnectionError: port 0 is closed"]


def _messages(logged: pytest.LogCaptureFixture) -> list[str]:
    return [
        f"{record.message}: {record.__dict__['fields'].get('reason')}"
        for record in logged.records
        if record.message in {"server away", "server back"}
    ]
