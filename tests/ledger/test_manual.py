"""Running an event by hand."""

from __future__ import annotations

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job
from rq.serializers import resolve_serializer

from clock.decision import Kind
from clock.errors import (
    NotAQueueError,
    NotEnrolledError,
    RequestChangedError,
    UnknownEventError,
)
from clock.keys import MANUAL_KEPT, RUNS_TTL
from clock.ledger.job import job_id
from clock.ledger.kept_template import Call
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


@pytest.mark.parametrize("serializer", ["pickle", "json"])
def test_a_run_may_have_other_arguments(serializer: str, redis: Redis, read: ReadSchedule) -> None:
    event = read(
        "every('day', 'tasks.x', args=[1], kwargs={'a': 2}, queue='io', meta={'team': 'io'})",
        serializer=serializer,
    ).events["tasks.x"]
    ledger = Ledger(redis, app="test", token="t", serializer=serializer)
    ledger.enrol([event], NOW - 1)
    call = Call(task="tasks.x", args=["ü", None], kwargs={"b": {"c": [1.5]}})
    identifier = run_now(redis, "test", "tasks.x", NOW, call=call)

    job = Job.fetch(identifier, connection=redis, serializer=resolve_serializer(serializer))
    assert (job.func_name, list(job.args), job.kwargs) == (
        "tasks.x",
        ["ü", None],
        {"b": {"c": [1.5]}},
    )
    assert job.description == "tasks.x('ü', None, b={'c': [1.5]})"
    assert (job.meta["team"], job.meta["clock"]["manual"], job.origin) == ("io", True, "io")
    # The event's own arguments stay as they are.
    ledger.claim([Claim(event, NOW)], NOW)
    fired = Job.fetch(
        job_id("test", "tasks.x", NOW),
        connection=redis,
        serializer=resolve_serializer(serializer),
    )
    assert (list(fired.args), fired.kwargs) == ([1], {"a": 2})


def test_the_description_of_an_event_stays_with_other_arguments(
    redis: Redis, read: ReadSchedule
) -> None:
    event = read("every('day', 'tasks.x', description='the daily one')").events["tasks.x"]
    Ledger(redis, app="test", token="t").enrol([event], NOW - 1)
    call = Call(task="tasks.x", args=[3], kwargs={})
    identifier = run_now(redis, "test", "tasks.x", NOW, call=call)
    assert Job.fetch(identifier, connection=redis).description == "the daily one"


def test_a_key_stands_for_its_arguments(redis: Redis, read: ReadSchedule) -> None:
    event = read("every('day', 'tasks.x')").events["tasks.x"]
    Ledger(redis, app="test", token="t").enrol([event], NOW - 1)
    one, other = (Call(task="tasks.x", args=[number], kwargs={}) for number in (1, 2))
    first = run_now(redis, "test", "tasks.x", NOW, "key", one)
    assert run_now(redis, "test", "tasks.x", NOW + 1, "key", one) == first
    for call in (other, None):
        with pytest.raises(RequestChangedError, match="other arguments"):
            run_now(redis, "test", "tasks.x", NOW + 2, "key", call)
    plain = run_now(redis, "test", "tasks.x", NOW, "plain")
    assert run_now(redis, "test", "tasks.x", NOW, "plain") == plain
    with pytest.raises(RequestChangedError, match="other arguments"):
        run_now(redis, "test", "tasks.x", NOW, "plain", one)
    assert redis.llen("rq:queue:default") == 2


@pytest.mark.parametrize(
    "value", [b"", b"x", b"\xc1", b"\xff" * 50, b"1 ", b"\x96\xa1x\x01\x01\x01\x01\x01", b"1 \x90"]
)
@pytest.mark.parametrize("key", ["templates", "shapes"])
def test_a_damaged_template_is_refused_in_words(
    key: str, value: bytes, redis: Redis, read: ReadSchedule
) -> None:
    event = read("every('day', 'tasks.x')").events["tasks.x"]
    Ledger(redis, app="test", token="t").enrol([event], NOW - 1)
    for field in redis.hkeys(f"clock:test:{key}"):
        redis.hset(f"clock:test:{key}", field, value)
    with pytest.raises(NotEnrolledError, match="start its clock once"):
        run_now(redis, "test", "tasks.x", NOW)
    assert redis.llen("rq:queue:default") == 0
