"""Who paused an event, known after the pause is over."""

from __future__ import annotations

import pytest
from redis import Redis

from clock import keys
from clock.ledger.ledger import Ledger
from clock.ledger.pauses import Pause, pause, pause_among, read_pauses_of, resume
from tests.conftest import ReadSchedule

NOW = 1_800_000_000


@pytest.fixture(autouse=True)
def _enrolled(redis: Redis, read: ReadSchedule) -> None:
    events = read("every('day', 'tasks.x')", "every('day', 'tasks.y')").events
    Ledger(redis, app="test", token="t").enrol(list(events.values()), NOW)


def test_a_pause_that_was_ended_is_remembered_with_its_real_end(redis: Redis) -> None:
    _pause(redis, "ann", NOW, None)
    resume(redis, "test", "tasks.x", NOW + 50.7)
    assert _over(redis, NOW + 10) == Pause(until=NOW + 50, reason="r", by="ann", since=NOW)
    assert _over(redis, NOW + 60) is None
    assert pause_among(read_pauses_of(redis, "test", "tasks.y"), NOW + 10) is None


def test_a_pause_that_replaces_another_leaves_both_known(redis: Redis) -> None:
    _pause(redis, "ann", NOW, NOW + 1000)
    _pause(redis, "bob", NOW + 100, None)
    pauses = [_over(redis, NOW + second) for second in (50, 150)]
    assert [pause.by for pause in pauses if pause] == ["ann", "bob"]


def test_a_pause_that_ended_by_itself_keeps_its_own_end(redis: Redis) -> None:
    _pause(redis, "ann", NOW, NOW + 100)
    assert _over(redis, NOW + 100) is None
    resume(redis, "test", "tasks.x", NOW + 500)
    assert _over(redis, NOW + 99) == Pause(until=NOW + 100, reason="r", by="ann", since=NOW)
    assert _over(redis, NOW + 200) is None


def test_an_occurrence_that_was_claimed_late_meets_the_pause_that_began_after_it(
    redis: Redis,
) -> None:
    _pause(redis, "ann", NOW + 5, None)
    pause = _over(redis, NOW)
    assert pause is not None
    assert pause.by == "ann"


def test_without_an_instant_the_server_says_when_a_pause_ended(redis: Redis) -> None:
    now = redis.time()[0]
    _pause(redis, "ann", now - 100, None)
    resume(redis, "test", "tasks.x")
    pause = _over(redis, now - 50)
    assert pause is not None
    assert pause.until is not None
    assert now <= pause.until < now + 60


def test_ended_pauses_are_capped_and_expire(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "ENDED_PAUSES", 3)
    for number in range(6):
        _pause(redis, "ann", NOW + number, None)
        resume(redis, "test", "tasks.x", NOW + number + 1)
    assert redis.llen("clock:test:pauses:ended") == 3
    assert 0 < redis.ttl("clock:test:pauses:ended") <= keys.TTL


def _pause(redis: Redis, by: str, since: int, until: int | None) -> None:
    pause(redis, "test", "tasks.x", Pause(until=until, reason="r", by=by, since=since))


def _over(redis: Redis, instant: int) -> Pause | None:
    return pause_among(read_pauses_of(redis, "test", "tasks.x"), instant)
