"""Runs of missed occurrences: each occurrence is recorded once, whoever counted it."""

from __future__ import annotations

import pytest
from redis import Redis

from clock.decision import Decision, Kind
from clock.ledger.ledger import Claim, Ledger
from clock.ledger.manual import run_now
from clock.ledger.record import Record
from clock.ledger.records import read_record
from clock.schedule.event import Event
from tests.conftest import ReadSchedule

NOW = 1_800_000_000


@pytest.fixture
def event(read: ReadSchedule) -> Event:
    return read("every('10 seconds', 'tasks.x')").events["tasks.x"]


def test_a_run_that_another_clock_decided_in_part_is_not_written(
    redis: Redis, event: Event
) -> None:
    one, two = _ledger(redis, event, "one"), _ledger(redis, event, "two")
    one.claim([Claim(event, NOW)], NOW)
    outcomes = two.claim([_missed(event, NOW, NOW + 20), Claim(event, NOW + 30)], NOW + 31)
    assert [(outcome.kind, outcome.decided) for outcome in outcomes] == [(None, NOW)] * 2
    assert _record(redis).counters["missed"] == 0
    assert redis.llen("rq:queue:default") == 1


def test_the_rest_of_such_a_run_is_written_once_it_is_counted_again(
    redis: Redis, event: Event
) -> None:
    one, two = _ledger(redis, event, "one"), _ledger(redis, event, "two")
    one.claim([Claim(event, NOW)], NOW)
    again = [_missed(event, NOW + 10, NOW + 20), Claim(event, NOW + 30)]
    assert [outcome.kind for outcome in two.claim(again, NOW + 31)] == [Kind.MISSED, Kind.FIRED]
    assert _record(redis).history[1] == Decision(Kind.MISSED, NOW + 10, NOW + 20, 2)


def test_a_run_in_part_of_one_event_does_not_hold_up_the_others(
    redis: Redis, event: Event, read: ReadSchedule
) -> None:
    other = read("every('10 seconds', 'tasks.y')").events["tasks.y"]
    ledger = _ledger(redis, event, "one")
    ledger.enrol([other], NOW - 1)
    ledger.claim([Claim(event, NOW)], NOW)
    claims = [_missed(event, NOW, NOW + 20), Claim(other, NOW + 20), Claim(event, NOW + 30)]
    kinds = [outcome.kind for outcome in ledger.claim(claims, NOW + 31)]
    assert kinds == [None, Kind.FIRED, None]


def test_a_run_claimed_again_after_a_lost_reply_is_counted_once(redis: Redis, event: Event) -> None:
    ledger = _ledger(redis, event, "one")
    claims = [_missed(event, NOW, NOW + 20), Claim(event, NOW + 30)]
    for _ in range(3):
        assert ledger.claim(claims, NOW + 31)[-1].kind is Kind.FIRED
    assert _record(redis).counters["missed"] == 3
    assert redis.llen("rq:queue:default") == 1


def test_a_run_before_an_occurrence_whose_queue_takes_no_jobs_is_recorded_with_it(
    redis: Redis, event: Event
) -> None:
    ledger = _ledger(redis, event, "one")
    redis.set("rq:queue:default", "x")
    for last in (NOW, NOW + 10, NOW + 20):
        claims = [_missed(event, NOW, last), Claim(event, last + 10)]
        assert all(outcome.is_refused for outcome in ledger.claim(claims, last + 11))
    assert (_record(redis).decided, _record(redis).counters["missed"]) == (NOW - 1, 0)
    redis.delete("rq:queue:default")
    kinds = [outcome.kind for outcome in ledger.claim(claims, NOW + 31)]
    assert kinds == [Kind.MISSED, Kind.FIRED]
    assert _record(redis).counters["missed"] == 3


def test_a_run_by_hand_after_a_lost_reply_does_not_hide_what_was_decided(
    redis: Redis, event: Event
) -> None:
    ledger = _ledger(redis, event, "one")
    ledger.claim([Claim(event, NOW)], NOW)
    run_now(redis, "test", "tasks.x", NOW + 1)
    run_now(redis, "test", "tasks.x", NOW + 2)
    (outcome,) = ledger.claim([Claim(event, NOW)], NOW + 3)
    assert outcome.kind is Kind.FIRED


def test_the_instant_a_changed_recurrence_starts_from_is_nobodys_occurrence(
    redis: Redis, event: Event, read: ReadSchedule
) -> None:
    old = _ledger(redis, event, "old")
    old.claim([Claim(event, NOW)], NOW)
    moved = read("every('20 seconds', 'tasks.x')").events["tasks.x"]
    Ledger(redis, app="test", token="new").enrol([moved], NOW + 10)
    (outcome,) = old.claim([Claim(event, NOW + 10)], NOW + 10)
    assert (outcome.kind, outcome.decided) == (None, NOW + 10)


def _missed(event: Event, first: int, last: int) -> Claim:
    return Claim(event, last, Kind.MISSED, first, (last - first) // 10 + 1)


def _ledger(redis: Redis, event: Event, token: str) -> Ledger:
    ledger = Ledger(redis, app="test", token=token)
    ledger.enrol([event], NOW - 1)
    return ledger


def _record(redis: Redis) -> Record:
    return read_record(redis, "test", "tasks.x")
