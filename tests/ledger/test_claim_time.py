"""By whose time a claim is decided."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from redis import Redis
from rq import Queue

from clock.decision import Kind
from clock.ledger.ledger import Claim, Ledger
from clock.ledger.record import Record
from clock.ledger.records import read_record
from clock.schedule.event import Event
from tests.conftest import ReadSchedule

TOLERANCE = 0.1


@pytest.fixture
def event(read: ReadSchedule) -> Event:
    return read("every('1 second', 'tasks.x')").events["tasks.x"]


@pytest.fixture
def ledger(redis: Redis, event: Event) -> Ledger:
    ledger = Ledger(redis, app="test", token="t")
    ledger.enrol([event], stands_at=_server_time(redis) - 100)
    return ledger


def test_an_occurrence_in_the_servers_future_is_neither_fired_nor_recorded(
    redis: Redis, ledger: Ledger, event: Event
) -> None:
    before = _record(redis)
    coming = int(_server_time(redis)) + 3
    for claim in (
        Claim(event, coming),
        Claim(event, coming, Kind.MISSED, coming - 5, 6),
        Claim(event, coming, Kind.UNMET),
    ):
        (outcome,) = ledger.claim([claim])
        assert outcome.is_future
    assert _record(redis) == before
    assert redis.llen("rq:queue:default") == 0


def test_the_rest_of_the_batch_goes_on(redis: Redis, read: ReadSchedule) -> None:
    events = list(read("for n in range(3): every('1 second', 'x.y', name=f'e{n}')").events.values())
    ledger = Ledger(redis, app="test", token="t")
    now = int(_server_time(redis))
    ledger.enrol(events, stands_at=now - 100)
    outcomes = ledger.claim(
        [Claim(events[0], now), Claim(events[1], now + 60), Claim(events[2], now)]
    )
    assert [(outcome.kind, outcome.is_future) for outcome in outcomes] == [
        (Kind.FIRED, False),
        (None, True),
        (Kind.FIRED, False),
    ]


def test_a_caller_with_a_time_of_its_own_is_judged_by_that(
    redis: Redis, ledger: Ledger, event: Event
) -> None:
    at = int(_server_time(redis)) + 1000
    assert ledger.claim([Claim(event, at)], at - 2 * TOLERANCE)[0].is_future
    assert ledger.claim([Claim(event, at)], at - TOLERANCE / 2)[0].kind is Kind.FIRED


def test_the_job_says_by_the_servers_clock_when_it_was_enqueued(
    redis: Redis, ledger: Ledger, event: Event
) -> None:
    before = _server_time(redis)
    ledger.claim([Claim(event, int(before) - 2)])
    after = _server_time(redis)
    (job,) = Queue("default", connection=redis).jobs
    assert job.enqueued_at is not None
    assert before <= job.enqueued_at.timestamp() <= after
    assert job.created_at == job.enqueued_at
    enqueued_at = datetime.fromisoformat(job.meta["clock"]["enqueued_at"])
    assert enqueued_at == job.enqueued_at
    lateness = _record(redis).history[0].lateness
    assert lateness is not None
    assert 2 <= lateness + 0.001 <= after - int(before) + 2.001


def test_a_new_event_stands_at_the_servers_time_and_never_later(redis: Redis, event: Event) -> None:
    before = int(_server_time(redis))
    for app, stands_at in (("now", None), ("later", before + 10_000)):
        (decided,) = Ledger(redis, app=app, token="t").enrol([event], stands_at=stands_at)
        assert before <= decided <= int(_server_time(redis))


def test_nothing_is_decided_later_than_asked(redis: Redis, ledger: Ledger, event: Event) -> None:
    now = _server_time(redis)
    settled = ledger.receive(ledger.send([Claim(event, int(now))], latest=now - 1))
    assert settled.outcomes is None
    assert settled.now >= now
    assert _record(redis).fired is None
    settled = ledger.receive(ledger.send([Claim(event, int(now))], latest=now + 60))
    assert settled.outcomes is not None
    assert settled.outcomes[0].kind is Kind.FIRED


def test_an_expiry_counts_by_the_same_clock_as_the_claim(redis: Redis, read: ReadSchedule) -> None:
    event = read("every('1 second', 'tasks.x', expires='10s')").events["tasks.x"]
    ledger = Ledger(redis, app="test", token="t")
    now = int(_server_time(redis))
    ledger.enrol([event], stands_at=now - 100)
    outcomes = [ledger.claim([Claim(event, at)])[0].kind for at in (now - 12, now - 5)]
    assert outcomes == [Kind.EXPIRED, Kind.FIRED]
    (job,) = Queue("default", connection=redis).jobs
    assert 3 <= redis.ttl(job.key) <= 6


def test_the_time_of_a_claim_is_written_with_six_digits_whatever_the_fraction(
    redis: Redis, event: Event
) -> None:
    ledger = Ledger(redis, app="test", token="t")
    at = 1_700_000_000
    ledger.enrol([event], at - 1)
    for number, fraction in enumerate((0.0, 0.000001, 0.5, 0.9999996)):
        ledger.claim([Claim(event, at + number)], at + number + fraction)
    fractions = [
        job.meta["clock"]["enqueued_at"][19:] for job in Queue("default", connection=redis).jobs
    ]
    assert fractions == [".000000Z", ".000001Z", ".500000Z", ".999999Z"]


def _server_time(redis: Redis) -> float:
    seconds, microseconds = redis.time()
    return float(seconds + microseconds / 1_000_000)


def _record(redis: Redis) -> Record:
    return read_record(redis, "test", "tasks.x")


def test_the_server_of_these_tests_has_this_machines_clock(redis: Redis) -> None:
    assert abs(_server_time(redis) - time.time()) < 1
