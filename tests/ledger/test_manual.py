"""Running an event by hand."""

from __future__ import annotations

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job
from rq.serializers import resolve_serializer

from clock.decision import Kind
from clock.errors import NotAQueueError, UnknownEventError
from clock.keys import MANUAL_KEPT, RUNS_TTL
from clock.ledger.ledger import Claim, Ledger
from clock.ledger.manual import run_now
from clock.ledger.manual_runs import read_manual_runs
from clock.ledger.records import read_record
from tests.conftest import ReadSchedule

NOW = 1_800_000_000


@pytest.mark.parametrize("serializer", ["pickle", "json"])
def test_the_job_is_the_events_own_and_marked_manual(
    serializer: str, redis: Redis, read: ReadSchedule
) -> None:
    ledger = Ledger(redis, app="test", token="t", serializer=serializer)
    event = read(
        "every('day', 'tasks.x', args=[1], kwargs={'a': 2}, queue='io', retry=3, "
        "meta={'team': 'io'})",
        serializer=serializer,
    ).events["tasks.x"]
    ledger.enrol([event], NOW - 1)
    ledger.claim([Claim(event, NOW)], NOW)
    identifier = run_now(redis, "test", "tasks.x", NOW + 30.5)

    job = Job.fetch(identifier, connection=redis, serializer=resolve_serializer(serializer))
    assert Queue("io", connection=redis).job_ids[1:] == [identifier]
    assert (job.func_name, list(job.args), job.kwargs) == ("tasks.x", [1], {"a": 2})
    assert (job.retries_left, job.failure_ttl, job.get_status().value) == (3, 604_800, "queued")
    assert job.meta == {
        "team": "io",
        "clock": {
            "event": "tasks.x",
            "scheduled_at": "2027-01-15T08:00:30Z",
            "previous_scheduled_at": "2027-01-15T08:00:00Z",
            "enqueued_at": "2027-01-15T08:00:30.500000Z",
            "manual": True,
        },
    }


def test_the_schedule_is_untouched_and_the_history_knows(redis: Redis, read: ReadSchedule) -> None:
    ledger = Ledger(redis, app="test", token="t")
    event = read("every('day', 'tasks.x')").events["tasks.x"]
    ledger.enrol([event], NOW - 1)
    run_now(redis, "test", "tasks.x", NOW + 30)
    record = read_record(redis, "test", "tasks.x")
    assert (record.decided, record.fired) == (NOW - 1, None)
    assert [decision.kind for decision in record.history] == [Kind.MANUAL]
    (outcome,) = ledger.claim([Claim(event, NOW)], NOW)
    assert outcome.kind is Kind.FIRED


def test_running_twice_gives_two_jobs(redis: Redis, read: ReadSchedule) -> None:
    event = read("every('day', 'tasks.x')").events["tasks.x"]
    Ledger(redis, app="test", token="t").enrol([event], NOW - 1)
    assert run_now(redis, "test", "tasks.x", NOW) != run_now(redis, "test", "tasks.x", NOW)
    assert redis.llen("rq:queue:default") == 2


def test_a_job_that_expires_counts_from_now(redis: Redis, read: ReadSchedule) -> None:
    now = int(redis.time()[0])
    event = read("every('day', 'tasks.x', expires='1h')").events["tasks.x"]
    Ledger(redis, app="test", token="t").enrol([event], now)
    identifier = run_now(redis, "test", "tasks.x", now)
    assert redis.pexpiretime(Job.key_for(identifier)) == (now + 3600) * 1000


def test_an_unknown_event_is_refused_with_the_names_there_are(
    redis: Redis, read: ReadSchedule
) -> None:
    with pytest.raises(UnknownEventError, match="no clock of the application 'test' ran yet"):
        run_now(redis, "test", "tasks.x", NOW)
    schedule = read("every('day', 'tasks.x')", "every('day', 'tasks.y')")
    Ledger(redis, app="test", token="t").enrol(list(schedule.events.values()), NOW)
    with pytest.raises(UnknownEventError) as refused:
        run_now(redis, "test", "task.x", NOW)
    assert str(refused.value) == (
        "there is no event 'task.x', did you mean 'tasks.x'? the events are tasks.x, tasks.y"
    )


def test_a_queue_key_of_another_type_is_refused(redis: Redis, read: ReadSchedule) -> None:
    event = read("every('day', 'tasks.x', queue='broken')").events["tasks.x"]
    Ledger(redis, app="test", token="t").enrol([event], NOW)
    redis.set("rq:queue:broken", "x")
    with pytest.raises(NotAQueueError, match="rq:queue:broken holds no queue"):
        run_now(redis, "test", "tasks.x", NOW)
    assert redis.keys("rq:job:*") == []


def test_its_job_is_known_by_the_second_of_the_run_and_kept_for_the_latest_only(
    redis: Redis, read: ReadSchedule
) -> None:
    event = read("every('day', 'tasks.x')").events["tasks.x"]
    Ledger(redis, app="test", token="t").enrol([event], NOW - 1)
    ids = [
        run_now(redis, "test", "tasks.x", NOW + number // 2, f"k{number}") for number in range(3)
    ]
    run_now(redis, "test", "tasks.x", NOW, "k0")  # asked again
    assert read_manual_runs(redis, "test", ["tasks.x", "tasks.y"]) == {
        "tasks.x": {NOW + 1: [ids[2]], NOW: [ids[1], ids[0]]},
        "tasks.y": {},
    }
    for number in range(MANUAL_KEPT + 3):
        run_now(redis, "test", "tasks.x", NOW + 9, f"m{number}")
    assert redis.llen("clock:test:manual:tasks.x") == MANUAL_KEPT
    assert redis.ttl("clock:test:manual:tasks.x") > RUNS_TTL - 60
