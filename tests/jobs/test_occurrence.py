"""``current()``: what a job knows of the occurrence it stands for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job

from clock.decision import Kind
from clock.jobs import current, enqueue
from clock.jobs.occurrence import occurrence_of
from clock.ledger.ledger import Claim, Ledger
from clock.ledger.manual import run_now
from tests.conftest import ReadSchedule
from tests.jobs.working import work_off

NOW = 1_800_000_000
CURRENT = "tests.jobs.working.current"


def test_outside_of_a_job_there_is_no_occurrence() -> None:
    assert current() is None


def test_a_job_that_no_schedule_enqueued_has_no_occurrence(redis: Redis) -> None:
    handle = enqueue(CURRENT, connection=redis)
    theirs = Queue(connection=redis).enqueue(CURRENT, meta={"clock": "theirs"})
    work_off(redis)
    assert handle.result(0) == []
    assert theirs.return_value() == []


@pytest.fixture
def ledger(redis: Redis, read: ReadSchedule) -> Ledger:
    """Where the event ``e`` has fired at NOW and a minute later."""
    ledger = Ledger(redis, app="clock", token="t")
    event = read(f"every('minute', {CURRENT!r}, name='e')").events["e"]
    ledger.enrol([event], NOW - 1)
    for at in (NOW, NOW + 60):
        (outcome,) = ledger.claim([Claim(event, at)], at)
        assert outcome.kind is Kind.FIRED
    return ledger


def test_a_job_knows_its_event_its_time_the_one_before_and_its_attempt(
    ledger: Ledger, redis: Redis
) -> None:
    first, second = Queue(connection=redis).get_job_ids()
    work_off(redis)
    at, later = (datetime.fromtimestamp(NOW + seconds, UTC) for seconds in (0, 60))
    assert Job.fetch(first, connection=redis).return_value() == ["e", at, None, 1]
    assert Job.fetch(second, connection=redis).return_value() == ["e", later, at, 1]


def test_the_instants_are_aware_and_in_utc(ledger: Ledger, redis: Redis) -> None:
    _, second = Queue(connection=redis).get_jobs()
    occurrence = occurrence_of(second)
    assert occurrence is not None
    for instant in (
        occurrence.scheduled_at,
        occurrence.previous_scheduled_at,
        occurrence.enqueued_at,
    ):
        assert instant is not None
        assert instant.tzinfo is UTC
    assert not occurrence.is_manual


def test_a_run_by_hand_is_marked_as_manual(ledger: Ledger, redis: Redis) -> None:
    job = Job.fetch(run_now(redis, "clock", "e", NOW + 90.0), connection=redis)
    occurrence = occurrence_of(job)
    assert occurrence is not None
    assert occurrence.is_manual
    assert occurrence.previous_scheduled_at == datetime.fromtimestamp(NOW + 60, UTC)


def test_a_job_that_asked_to_be_run_again_is_in_its_next_attempt(
    ledger: Ledger, redis: Redis
) -> None:
    job = Queue(connection=redis).get_jobs()[0]
    job.number_of_retries = 2
    occurrence = occurrence_of(job)
    assert occurrence is not None
    assert occurrence.attempt == 3
