"""Where a clock takes the time from, and that all clocks of an application take it from there."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import pytest
from redis import Redis

from clock import Schedule, keys
from clock.connection.client import connect
from clock.errors import TimeSourceError
from clock.ledger.ledger import Ledger
from clock.ledger.time_source import server_now
from clock.loop.loop import Loop
from clock.stop import Stop
from tests.conftest import ReadSchedule
from tests.live.waiting import wait_for

SOURCE = keys.time_source("test")


@pytest.fixture
def schedule(read: ReadSchedule) -> Schedule:
    return read("every('1 second', 'tasks.x')")


@pytest.fixture
def limited(redis: Redis, server_url: str) -> Iterator[Redis]:
    """A connection of a user who may not ask for the server's time."""
    rules = ("on", "nopass", "~*", "+@all", "-time")
    redis.execute_command("ACL", "SETUSER", "limited", *rules)  # type: ignore[no-untyped-call]
    with connect(server_url.replace("//", "//limited:any@")) as connection:
        yield connection
    redis.acl_deluser("limited")


def test_where_the_server_may_not_be_asked_this_hosts_clock_decides_and_that_is_said_once(
    redis: Redis, limited: Redis, schedule: Schedule, caplog: pytest.LogCaptureFixture
) -> None:
    loop = _loop(limited, schedule)
    with caplog.at_level(logging.INFO, logger="clock"):
        _turn_until_fired(redis, loop)
    said = [record for record in caplog.records if record.message == "server time"]
    assert len(said) == 1
    assert "may not ask the server for its TIME" in said[0].__dict__["fields"]["reason"]
    assert redis.get(SOURCE) == b"host one"


def test_by_the_servers_time_it_leaves_word_of_that(redis: Redis, schedule: Schedule) -> None:
    _turn_until_fired(redis, _loop(redis, schedule))
    assert redis.get(SOURCE) == b"server one"
    assert 0 < redis.ttl(SOURCE) <= keys.SOURCE_TTL


def test_a_clock_does_not_start_beside_one_with_another_source(
    redis: Redis, limited: Redis, schedule: Schedule
) -> None:
    _loop(redis, schedule).tick()
    with pytest.raises(TimeSourceError, match="takes the time from the host, and the clock one"):
        _loop(limited, schedule, "two").tick()
    assert redis.get(SOURCE) == b"server one"


def test_nor_the_other_way_round(redis: Redis, limited: Redis, schedule: Schedule) -> None:
    _loop(limited, schedule).tick()
    with pytest.raises(TimeSourceError, match="takes the time from the server, and the clock one"):
        _loop(redis, schedule, "two").tick()


def test_two_with_the_same_source_say_nothing(
    redis: Redis, schedule: Schedule, caplog: pytest.LogCaptureFixture
) -> None:
    for token in ("one", "two"):
        _loop(redis, schedule, token).tick()
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


def test_a_clock_that_runs_says_that_another_has_come_with_another_source(
    redis: Redis,
    schedule: Schedule,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("clock.loop.timekeeper.READ_EVERY", 0.0)
    loop = _loop(redis, schedule)
    loop.tick()
    redis.set(SOURCE, "host other", ex=60)
    for _ in range(3):
        loop.tick()
    said = [record for record in caplog.records if record.message == "time source"]
    assert len(said) == 1
    assert "the clock other" in said[0].__dict__["fields"]["reason"]


def test_a_caller_with_a_time_of_its_own_leaves_no_word(redis: Redis, schedule: Schedule) -> None:
    ledger = Ledger(redis, app="test", token="one")
    Loop(list(schedule.events.values()), ledger, Stop(), now=lambda: 1_800_000_000.0).tick()
    assert not redis.exists(SOURCE)


def test_a_reader_who_may_not_ask_goes_by_its_own_clock(redis: Redis, limited: Redis) -> None:
    assert server_now(limited, 5.0) == 5.0
    assert abs(server_now(redis, 5.0) - time.time()) < 1


def _loop(redis: Redis, schedule: Schedule, token: str = "one") -> Loop:
    ledger = Ledger(redis, app="test", token=token)
    return Loop(list(schedule.events.values()), ledger, Stop())


def _turn_until_fired(redis: Redis, loop: Loop) -> None:
    def fired() -> int:
        loop.tick()
        return redis.llen("rq:queue:default")

    wait_for("it fires", fired)
