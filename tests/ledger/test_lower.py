"""A record in the future is lowered where that doubles nothing, and never otherwise."""

from __future__ import annotations

import pytest
from redis import Redis

from clock import keys
from clock.decision import Kind
from clock.ledger.ledger import Claim, Ledger
from clock.ledger.lower import WAITED_OUT, lower
from clock.ledger.record import Record
from clock.ledger.records import read_record
from clock.schedule.event import Event
from tests.conftest import ReadSchedule

NOW = 1_800_000_000
DAY = 86_400


@pytest.fixture
def event(read: ReadSchedule) -> Event:
    return read("every('10 seconds', 'tasks.x', catch_up='all')").events["tasks.x"]


@pytest.fixture
def ledger(redis: Redis, event: Event) -> Ledger:
    ledger = Ledger(redis, app="test", token="t")
    ledger.enrol([event], NOW - 100)
    _fire(ledger, event, NOW - 50)
    return ledger


def test_a_record_that_lists_all_that_fired_is_lowered_to_the_present(
    redis: Redis, ledger: Ledger, event: Event
) -> None:
    _fire(ledger, event, NOW + 30 * DAY, NOW + 30 * DAY + 10)
    (lowered,) = lower(redis, "test", ["tasks.x"], NOW)
    assert (lowered.decided, lowered.is_lowered) == (NOW, True)
    assert _record(redis).decided == NOW


def test_what_comes_next_fires_again(redis: Redis, ledger: Ledger, event: Event) -> None:
    _fire(ledger, event, NOW + 30 * DAY)
    lower(redis, "test", ["tasks.x"], NOW)
    assert _fire(ledger, event, NOW + 10) == [Kind.FIRED]


def test_what_fired_in_the_future_never_fires_again_however_much_was_decided_since(
    redis: Redis, ledger: Ledger, event: Event
) -> None:
    fired = (NOW + 5000, NOW + 6000)
    _fire(ledger, event, *fired)
    lower(redis, "test", ["tasks.x"], NOW)
    # More than a history holds.
    between = range(NOW + 10, fired[0], 10)
    assert _fire(ledger, event, *between) == [Kind.FIRED] * len(between)
    before = redis.llen("rq:queue:default")
    assert _fire(ledger, event, fired[0]) == [None]
    assert _record(redis).decided == fired[0]
    assert _fire(ledger, event, fired[0] + 10, fired[1], fired[1] + 10) == [
        Kind.FIRED,
        None,
        Kind.FIRED,
    ]
    assert redis.llen("rq:queue:default") == before + 2
    assert not redis.exists(keys.ahead("test"))


def test_a_run_of_missed_ones_does_not_count_what_fired_among_them(
    redis: Redis, ledger: Ledger, event: Event
) -> None:
    _fire(ledger, event, NOW + 5000, NOW + 5010)
    lower(redis, "test", ["tasks.x"], NOW)
    before = _record(redis).counters["missed"]
    first, last = NOW + 4990, NOW + 5020
    (outcome,) = ledger.claim([Claim(event, last, Kind.MISSED, first, 4)], last)
    assert outcome.kind is Kind.MISSED
    assert _record(redis).counters["missed"] == before + 2
    assert _record(redis).history[0].count == 2


def test_a_run_that_fired_whole_is_passed_without_a_word(
    redis: Redis, ledger: Ledger, event: Event
) -> None:
    _fire(ledger, event, NOW + 5000, NOW + 5010)
    lower(redis, "test", ["tasks.x"], NOW)
    history = _record(redis).history
    (outcome,) = ledger.claim([Claim(event, NOW + 5010, Kind.MISSED, NOW + 5000, 2)], NOW + 5010)
    assert (outcome.kind, outcome.decided) == (None, NOW + 5010)
    assert _record(redis).history == history


def test_a_claim_made_again_of_what_fired_in_the_future_says_the_same(
    redis: Redis, ledger: Ledger, event: Event
) -> None:
    _fire(ledger, event, NOW + 5000)
    lower(redis, "test", ["tasks.x"], NOW)
    assert _fire(ledger, event, NOW + 5000) == [None]
    assert _fire(ledger, event, NOW + 5000) == [None]


def test_a_record_whose_history_is_cut_stays_as_it_is(
    redis: Redis, ledger: Ledger, event: Event
) -> None:
    _fire(ledger, event, *range(NOW + DAY, NOW + DAY + 1000, 10))
    line = redis.hget(keys.decided("test"), "tasks.x")
    (lowered,) = lower(redis, "test", ["tasks.x"], NOW)
    assert (lowered.decided, lowered.is_lowered) == (NOW + DAY + 990, False)
    assert redis.hget(keys.decided("test"), "tasks.x") == line


def test_a_record_whose_history_is_cut_is_lowered_where_that_is_asked_for(
    redis: Redis, ledger: Ledger, event: Event
) -> None:
    _fire(ledger, event, *range(NOW + DAY, NOW + DAY + 1000, 10))
    (lowered,) = lower(redis, "test", ["tasks.x"], NOW, anyhow=True)
    assert (lowered.decided, lowered.is_lowered) == (NOW, True)
    # What is listed is known all the same.
    assert _fire(ledger, event, NOW + DAY + 990) == [None]


def test_a_new_event_whose_whole_life_is_in_the_future_is_lowered(
    redis: Redis, event: Event
) -> None:
    ledger = Ledger(redis, app="test", token="t")
    ledger.enrol([event], NOW + DAY)
    _fire(ledger, event, NOW + DAY + 10, NOW + DAY + 20)
    assert lower(redis, "test", ["tasks.x"], NOW)[0].is_lowered
    assert _fire(ledger, event, NOW + 10, NOW + DAY + 20) == [Kind.FIRED, None]


@pytest.mark.parametrize("ahead", [0, 1, WAITED_OUT])
def test_a_record_that_is_a_little_ahead_is_waited_out(
    ahead: int, redis: Redis, ledger: Ledger, event: Event
) -> None:
    _fire(ledger, event, NOW + 1000)
    now = NOW + 1000 - ahead
    (lowered,) = lower(redis, "test", ["tasks.x"], now)
    assert (lowered.decided, lowered.is_lowered) == (NOW + 1000, False)
    assert _fire(ledger, event, NOW + 1010) == [Kind.FIRED]


def test_runs_by_hand_are_no_decisions(redis: Redis, ledger: Ledger, event: Event) -> None:
    _fire(ledger, event, NOW + DAY)
    line = redis.hget(keys.decided("test"), "tasks.x")
    assert isinstance(line, bytes)
    head, bar, history = line.decode().partition("|")
    redis.hset(keys.decided("test"), "tasks.x", f"{head}{bar}r{NOW - 5} {history}")
    assert lower(redis, "test", ["tasks.x"], NOW)[0].is_lowered
    assert _fire(ledger, event, NOW + DAY) == [None]


def test_a_second_time_ahead_adds_to_what_is_known_of_the_first(
    redis: Redis, ledger: Ledger, event: Event
) -> None:
    for ahead in (2 * DAY, DAY):
        _fire(ledger, event, NOW + ahead)
        assert lower(redis, "test", ["tasks.x"], NOW)[0].is_lowered
    assert _fire(ledger, event, NOW + DAY, NOW + 2 * DAY) == [None, None]


def test_an_unknown_event_has_no_record(redis: Redis) -> None:
    assert lower(redis, "test", ["nobody"], NOW)[0].decided is None


def test_an_older_release_reads_a_lowered_record(
    redis: Redis, ledger: Ledger, event: Event
) -> None:
    _fire(ledger, event, NOW + DAY)
    lower(redis, "test", ["tasks.x"], NOW)
    record = _record(redis)
    assert (record.clock, record.fired, record.counters["fired"]) == ("-", NOW + DAY, 2)


def _fire(ledger: Ledger, event: Event, *scheduled: int) -> list[Kind | None]:
    return [ledger.claim([Claim(event, at)], at)[0].kind for at in scheduled]


def _record(redis: Redis) -> Record:
    return read_record(redis, "test", "tasks.x")
