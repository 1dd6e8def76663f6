"""``clock restore``: after a server was restored from a backup."""

from __future__ import annotations

import time

import pytest
from redis import Redis
from rq.utils import as_text

from clock import keys
from clock.instant import utc_text
from clock.ledger.record import Record, parse_record
from tests.cli.command import Clock
from tests.conftest import ReadSchedule
from tests.live.port import free_port
from tests.loop.heartbeat import START, Watched

AGO = 3600


@pytest.fixture
def copied(redis: Redis, read: ReadSchedule) -> int:
    """The ledger as a clock left it an hour ago; the instant of its last occurrence."""
    begin = int(time.time()) - AGO
    clock = Watched(
        redis, read("every('10 seconds', 'tasks.x')", "every('day', 'tasks.y')"), now=float(begin)
    )
    clock.turn(range(int(begin - START), int(begin - START) + 30))
    return _record(redis, "tasks.x").decided


def test_nothing_up_to_the_instant_is_made_up_and_later_occurrences_are(
    clock: Clock, redis: Redis, read: ReadSchedule, server_url: str, copied: int
) -> None:
    lost = (copied // 10) * 10 + 600
    code, out, err = clock("restore", utc_text(lost), "--url", server_url, "--app", "test")
    assert (code, err) == (0, "")
    assert out == f"2 of 2 events set to {utc_text(lost)}; 0 were there or later\n"
    redis.delete("rq:queue:default")
    schedule = read("every('10 seconds', 'tasks.x', catch_up='all')", "every('day', 'tasks.y')")
    Watched(redis, schedule, token="h:2:x").turn([lost + 30 - START])
    ids = [as_text(identifier)[-16:] for identifier in redis.lrange("rq:queue:default", 0, -1)]
    assert ids == [utc_text(lost + s).replace("-", "").replace(":", "") for s in (10, 20, 30)]


def test_counters_history_and_the_last_fired_stay(
    clock: Clock, redis: Redis, server_url: str, copied: int
) -> None:
    before = _record(redis, "tasks.x")
    assert clock("restore", utc_text(copied + 500), "--url", server_url, "--app", "test")[0] == 0
    assert _record(redis, "tasks.x") == before._replace(decided=copied + 500, clock="-")


def test_a_later_record_stays(clock: Clock, redis: Redis, server_url: str, copied: int) -> None:
    before = redis.hgetall(keys.decided("test"))
    code, out, _ = clock("restore", utc_text(copied - 100), "--url", server_url, "--app", "test")
    assert (code, out.split(";")[0]) == (0, f"0 of 2 events set to {utc_text(copied - 100)}")
    assert redis.hgetall(keys.decided("test")) == before


def test_why_knows_nothing_of_the_time_between_backup_and_instant(
    clock: Clock, redis: Redis, server_url: str, copied: int
) -> None:
    words = ("--url", server_url, "--app", "test")
    assert clock("restore", utc_text(copied + 500), *words)[0] == 0
    _, out, _ = clock("why", "tasks.x", utc_text(copied + 100), *words)
    assert "decided, but the history has nothing of it" in out


def test_a_future_instant_is_refused(clock: Clock, redis: Redis, server_url: str) -> None:
    words = ("restore", "2100-01-01T00:00Z", "--url", server_url)
    code, out, err = clock(*words)
    assert (code, out) == (2, "")
    assert "is in the future" in err


@pytest.mark.usefixtures("redis")
def test_an_instant_without_an_offset_is_refused(clock: Clock, server_url: str) -> None:
    code, out, err = clock("restore", "2026-01-01T00:00", "--url", server_url)
    assert (code, out) == (2, "")
    assert "needs an offset" in err


def test_a_live_clock_is_a_warning(
    clock: Clock, redis: Redis, read: ReadSchedule, server_url: str
) -> None:
    now = int(time.time())
    Watched(redis, read("every('day', 'tasks.x')"), now=float(now)).turn([now - START])
    words = ("--url", server_url, "--app", "test")
    code, _, err = clock("restore", utc_text(now), *words)
    assert code == 0
    assert err.startswith("warning: the clock h:1 seems alive")


def test_without_permission_for_time_restore_uses_the_time_of_the_host(
    clock: Clock, redis: Redis, server_url: str, copied: int
) -> None:
    rules = ("on", "nopass", "~*", "+@all", "-time")
    redis.execute_command("ACL", "SETUSER", "limited", *rules)  # type: ignore[no-untyped-call]
    try:
        url = server_url.replace("//", "//limited:any@")
        code, out, _ = clock("restore", utc_text(copied + 500), "--url", url, "--app", "test")
        assert (code, out[:11]) == (0, "2 of 2 even")
        assert clock("restore", utc_text(int(time.time()) + 60), "--url", url)[0] == 2
    finally:
        redis.acl_deluser("limited")


def test_a_server_that_is_away_is_exit_code_3(clock: Clock) -> None:
    words = ("restore", "2026-01-01T00:00Z", "--url", f"redis://127.0.0.1:{free_port()}")
    assert clock(*words)[0] == 3


def _record(redis: Redis, event: str) -> Record:
    line = redis.hget(keys.decided("test"), event)
    assert isinstance(line, bytes)
    return parse_record(line)
