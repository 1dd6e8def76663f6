"""A record in the future: every command reports it, and ``clock rewind`` sets it back."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest
from redis import Redis

from clock.ledger.ledger import Claim, Ledger
from clock.ledger.records import read_record
from tests.cli.command import Clock
from tests.conftest import ReadSchedule
from tests.loop.heartbeat import Watched

DAY = 86_400


@pytest.fixture
def ahead(redis: Redis, read: ReadSchedule) -> int:
    """An event whose record stands a day ahead and does not list all that fired; where it stands.

    A clock runs that does not lower it.
    """
    schedule = read("every('10 seconds', 'tasks.x', catch_up=1000)")
    event = schedule.events["tasks.x"]
    now = time.time()
    ledger = Ledger(redis, app="test", token="h:1:x")
    ledger.enrol([event], now - 100)
    last = int(now) // 10 * 10 + DAY
    for at in range(last - 1000, last + 1, 10):
        ledger.claim([Claim(event, at)], at)
    watched = Watched(redis, schedule, now=now - 90)
    for watched.now in (now - 90, now):
        watched.loop.tick()
    return last


def test_status_names_a_record_that_is_ahead_and_exits_with_7(
    clock: Clock, ahead: int, server_url: str
) -> None:
    code, out, err = clock("status", "--url", server_url, "--app", "test")
    assert code == 7
    (row,) = (line for line in out.splitlines() if line.startswith("tasks.x"))
    assert row.split()[1] == "ahead"
    (line_of_ahead,) = (line for line in err.splitlines() if line.startswith("ahead:"))
    assert f"{datetime.fromtimestamp(ahead, UTC):%Y-%m-%d %H:%M:%S}" in line_of_ahead
    assert "clock rewind 'tasks.x'" in line_of_ahead


def test_status_as_json_names_a_record_that_is_ahead(
    clock: Clock, ahead: int, server_url: str
) -> None:
    code, out, _ = clock("status", "--url", server_url, "--app", "test", "--json")
    answer = json.loads(out)
    assert (code, answer["healthy"], answer["ahead"]) == (7, False, ["tasks.x"])
    assert answer["events"][0]["state"] == "ahead"


@pytest.mark.parametrize("seconds", [-20, 3600])
def test_why_says_that_an_event_ahead_does_not_fire_and_how_to_rewind_it(
    seconds: int, clock: Clock, ahead: int, server_url: str
) -> None:
    at = (int(time.time()) + seconds) // 10 * 10
    words = ("why", "tasks.x", f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}")
    code, out, _ = clock(*words, "--url", server_url, "--app", "test")
    assert code == 0
    assert "it does not fire: the event's record stands at" in out
    assert "clock rewind 'tasks.x' sets it back" in out


def test_rewind_sets_a_record_back_and_the_status_is_healthy(
    clock: Clock, ahead: int, redis: Redis, server_url: str
) -> None:
    code, out, err = clock("rewind", "--url", server_url, "--app", "test")
    assert (code, err) == (0, "")
    assert out.startswith(f"tasks.x: set back from {datetime.fromtimestamp(ahead, UTC):%Y-%m-%dT}")
    assert abs(read_record(redis, "test", "tasks.x").decided - time.time()) < 10
    code, _, err = clock("status", "--url", server_url, "--app", "test")
    assert (code, "ahead" in err) == (0, False)


def test_rewind_leaves_records_of_the_past_and_of_events_not_named(
    clock: Clock, ahead: int, redis: Redis, server_url: str, read: ReadSchedule
) -> None:
    other = read("every('10 seconds', 'tasks.y')").events["tasks.y"]
    Ledger(redis, app="test", token="t").enrol([other], time.time() - 50)
    before = read_record(redis, "test", "tasks.y")
    code, out, _ = clock("rewind", "tasks.y", "--url", server_url, "--app", "test")
    assert (code, out) == (0, "tasks.y: its record is not in the future\n")
    assert read_record(redis, "test", "tasks.y") == before
    assert read_record(redis, "test", "tasks.x").decided == ahead


def test_rewind_of_an_unknown_event_suggests_the_right_one(
    clock: Clock, ahead: int, redis: Redis, server_url: str
) -> None:
    words = ("rewind", "tasks.x", "tasks.z")
    code, out, err = clock(*words, "--url", server_url, "--app", "test")
    assert (code, out) == (2, "")
    assert "there is no event 'tasks.z', did you mean 'tasks.x'?" in err
    assert read_record(redis, "test", "tasks.x").decided == ahead


def test_rewind_without_a_record_ahead_says_so(clock: Clock, redis: Redis, server_url: str) -> None:
    code, out, _ = clock("rewind", "--url", server_url, "--app", "test")
    assert (code, out) == (0, "no record is in the future\n")


def test_without_permission_for_time_rewind_uses_the_time_of_the_host(
    clock: Clock, redis: Redis, ahead: int, server_url: str
) -> None:
    rules = ("on", "nopass", "~*", "+@all", "-time")
    redis.execute_command("ACL", "SETUSER", "limited", *rules)  # type: ignore[no-untyped-call]
    try:
        url = server_url.replace("//", "//limited:any@")
        assert clock("rewind", "--url", url, "--app", "test")[0] == 0
    finally:
        redis.acl_deluser("limited")
    assert read_record(redis, "test", "tasks.x").decided <= time.time() < ahead
