"""The lives of clocks, as they note them."""

from __future__ import annotations

import pytest
from redis import Redis

from clock import keys
from clock.ledger.clocks import ALIVE_WITHIN, GAPS, Life, Pulse, read_clocks

NOW = 1_800_000_000.0


def test_a_life_is_read_as_it_was_written(redis: Redis) -> None:
    pulse = _pulse(redis)
    pulse.begin()
    pulse.beat(NOW + 5)
    (life,) = read_clocks(redis, "test")
    assert life == pulse.life == _life(last_tick=NOW + 5)
    assert 0 < redis.ttl("clock:test:clocks") <= keys.TTL


def test_a_clock_is_alive_until_its_last_tick_is_too_long_ago() -> None:
    life = _life(last_tick=NOW)
    assert life.is_alive(NOW + ALIVE_WITHIN - 0.1)
    assert not life.is_alive(NOW + ALIVE_WITHIN)
    assert life.is_alive(NOW + 59, within=60)


def test_a_clock_that_was_asked_to_stop_is_not_alive(redis: Redis) -> None:
    pulse = _pulse(redis)
    pulse.begin()
    pulse.end(NOW + 3)
    (life,) = read_clocks(redis, "test")
    assert (life.stopped, life.is_alive(NOW + 3)) == (NOW + 3, False)


def test_a_time_without_a_tick_is_a_gap_of_the_life(redis: Redis) -> None:
    pulse = _pulse(redis)
    pulse.begin()
    for now in (NOW + 5, NOW + 100, NOW + 105):
        pulse.beat(now)
    (life,) = read_clocks(redis, "test")
    assert life.gaps == ((NOW + 5, NOW + 100),)
    assert life.there_since == NOW + 100


def test_a_life_keeps_its_latest_gaps(redis: Redis) -> None:
    pulse = _pulse(redis)
    for number in range(1, GAPS + 11):
        pulse.beat(NOW + 100 * number)
    (life,) = read_clocks(redis, "test")
    assert len(life.gaps) == GAPS
    assert life.gaps[-1][1] == NOW + 100 * (GAPS + 10)


def test_the_oldest_lives_are_forgotten(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "LIVES", 3)
    for number in range(5):
        _pulse(redis, f"h:{number}:x", NOW + number).begin()
    assert [life.token for life in read_clocks(redis, "test")] == ["h:4:x", "h:3:x", "h:2:x"]


def test_a_beat_says_whether_the_server_still_knew_the_clock(redis: Redis) -> None:
    pulse = _pulse(redis)
    pulse.begin()
    assert not pulse.beat(NOW + 5).is_lost
    redis.flushall()
    assert pulse.beat(NOW + 10).is_lost
    assert not pulse.beat(NOW + 15).is_lost


def test_a_life_of_a_later_release_is_read(redis: Redis) -> None:
    _pulse(redis).begin()
    line = redis.hget("clock:test:clocks", "h:1:x")
    assert isinstance(line, bytes)
    redis.hset("clock:test:clocks", "h:1:x", line[:-1] + b',"mood":"good"}')
    assert read_clocks(redis, "test") == [_life()]


def _pulse(redis: Redis, token: str = "h:1:x", started: float = NOW) -> Pulse:
    return Pulse(redis, "test", _life(token=token, started=started, last_tick=started))


def _life(**fields: object) -> Life:
    known: dict[str, object] = {
        "token": "h:1:x", "host": "h", "pid": 1, "version": "0.1.0", "file": "schedule.py",
        "serializer": "pickle", "zone": "UTC", "events": 3, "started": NOW, "last_tick": NOW,
    }  # fmt: skip
    return Life(**(known | fields))  # type: ignore[arg-type]
