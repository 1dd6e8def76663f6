"""Another job has the id that a job of the clock would get: nothing fires into it."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job

from clock.connection.client import connect
from clock.decision import Kind
from clock.errors import JobIdTakenError, ServerError
from clock.ledger.backfill import Backfill, Standing
from clock.ledger.ledger import Claim, Ledger
from clock.ledger.manual import run_now
from clock.ledger.records import read_record
from clock.ledger.reserved import manual_id
from clock.schedule.event import Event
from tests.conftest import ReadSchedule

NOW = 1_800_000_000


@pytest.fixture(params=["may copy", "may not copy"])
def ledger(request: pytest.FixtureRequest, redis: Redis, server_url: str) -> Any:
    """A ledger on a server that copies jobs, and on one that does not."""
    rules = ["on", "nopass", "~*", "+@all", *(["-copy"] if request.param == "may not copy" else [])]
    redis.execute_command("ACL", "SETUSER", "copier", *rules)  # type: ignore[no-untyped-call]
    with connect(server_url.replace("//", "//copier:any@")) as limited:
        yield Ledger(limited, app="test", token="t")
    redis.acl_deluser("copier")


@pytest.fixture
def events(read: ReadSchedule) -> list[Event]:
    lines = (f"every('10 seconds', 'tasks.x', name='e{n}', args=[{n}])" for n in range(4))
    return list(read(*lines).events.values())


@pytest.mark.parametrize("number", range(4))
def test_a_claim_leaves_the_job_of_somebody_else_alone_and_the_others_fire(
    number: int, redis: Redis, ledger: Ledger, events: list[Event]
) -> None:
    ledger.enrol(events, NOW - 1)
    claims = [Claim(event, NOW) for event in events]
    theirs = _enqueue_theirs(redis, ledger.job_id(claims[number]))
    before = redis.hgetall(theirs.key)
    for _ in range(2):
        outcomes = ledger.claim(claims, NOW)
        assert [outcome.is_taken for outcome in outcomes] == [n == number for n in range(4)]
    assert redis.hgetall(theirs.key) == before
    assert read_record(redis, "test", f"e{number}").decided == NOW - 1
    assert sorted(Queue(connection=redis).job_ids) == sorted(
        ledger.job_id(claim) for claim in claims
    )


def test_an_occurrence_fires_once_the_job_that_had_its_id_is_gone(
    redis: Redis, ledger: Ledger, events: list[Event]
) -> None:
    ledger.enrol(events, NOW - 1)
    theirs = _enqueue_theirs(redis, ledger.job_id(Claim(events[0], NOW)))
    assert ledger.claim([Claim(events[0], NOW)], NOW)[0].is_taken
    theirs.delete()
    assert ledger.claim([Claim(events[0], NOW)], NOW)[0].kind is Kind.FIRED
    assert redis.llen("rq:queue:default") == 1


def test_a_job_key_of_another_type_holds_up_its_own_event_only(
    redis: Redis, ledger: Ledger, events: list[Event]
) -> None:
    ledger.enrol(events, NOW - 1)
    redis.set(Job.key_for(ledger.job_id(Claim(events[2], NOW))), "x")
    outcomes = ledger.claim([Claim(event, NOW) for event in events], NOW)
    assert [outcome.kind for outcome in outcomes] == [Kind.FIRED, Kind.FIRED, None, Kind.FIRED]


def test_a_run_before_an_occurrence_whose_id_is_taken_is_recorded_with_it(
    redis: Redis, ledger: Ledger, events: list[Event]
) -> None:
    event = events[0]
    ledger.enrol([event], NOW - 1)
    claims = [Claim(event, NOW + 10, Kind.MISSED, NOW, 2), Claim(event, NOW + 20)]
    theirs = _enqueue_theirs(redis, ledger.job_id(claims[-1]))
    assert all(outcome.is_taken for outcome in ledger.claim(claims, NOW + 21))
    assert read_record(redis, "test", "e0").decided == NOW - 1
    theirs.delete()
    kinds = [outcome.kind for outcome in ledger.claim(claims, NOW + 21)]
    assert kinds == [Kind.MISSED, Kind.FIRED]


def test_a_job_that_fired_while_the_server_was_ahead_is_its_events_own(
    redis: Redis, ledger: Ledger, events: list[Event]
) -> None:
    event = events[0]
    ledger.enrol([event], NOW - 1)
    ledger.claim([Claim(event, NOW + 1000)], NOW + 1000)
    redis.hset(Job.key_for(ledger.job_id(Claim(event, NOW + 1000))), "status", "finished")
    assert ledger.lower(["e0"], NOW + 500)[0].is_lowered
    claims = [Claim(event, NOW + 990, Kind.MISSED, NOW + 510, 49), Claim(event, NOW + 1000)]
    missed, fired = ledger.claim(claims, NOW + 1001)
    assert (missed.kind, fired.kind, fired.is_taken) == (Kind.MISSED, None, False)
    assert ledger.claim([Claim(event, NOW + 1010)], NOW + 1010)[0].kind is Kind.FIRED
    assert redis.llen("rq:queue:default") == 2


def test_the_job_that_would_be_replaced_stays_where_the_new_one_cannot_be(
    redis: Redis, ledger: Ledger, read: ReadSchedule
) -> None:
    event = read("every('10 seconds', 'tasks.x', overlap='replace')").events["tasks.x"]
    ledger.enrol([event], NOW - 1)
    ledger.claim([Claim(event, NOW)], NOW)
    _enqueue_theirs(redis, ledger.job_id(Claim(event, NOW + 10)))
    assert ledger.claim([Claim(event, NOW + 10)], NOW + 10)[0].is_taken
    assert Job.exists(ledger.job_id(Claim(event, NOW)), connection=redis)


@pytest.mark.parametrize("serializer", ["pickle", "json"])
def test_jobs_that_a_failed_claim_left_behind_are_its_own(
    serializer: str, redis: Redis, server_url: str, events: list[Event]
) -> None:
    redis.execute_command("ACL", "SETUSER", "limited", "on", "nopass", "~*", "+@all", "-sadd")  # type: ignore[no-untyped-call]
    claims = [Claim(event, NOW) for event in events]
    with connect(server_url.replace("//", "//limited:any@")) as limited:
        ledger = Ledger(limited, app="test", token="t", serializer=serializer)
        ledger.enrol(events, NOW - 1)
        with pytest.raises(ServerError):
            ledger.claim(claims, NOW)
        assert redis.keys("rq:job:*")
        redis.execute_command("ACL", "SETUSER", "limited", "+sadd")  # type: ignore[no-untyped-call]
        assert {outcome.kind for outcome in ledger.claim(claims, NOW + 1)} == {Kind.FIRED}
    redis.acl_deluser("limited")
    assert Queue(connection=redis).job_ids == [ledger.job_id(claim) for claim in claims]
    assert redis.hget(f"rq:job:{ledger.job_id(claims[3])}", "enqueued_at") == (
        b"2027-01-15T08:00:01.000000Z"
    )


def test_a_backfill_leaves_the_job_of_somebody_else_alone(
    redis: Redis, events: list[Event]
) -> None:
    event = events[0]
    ledger = Ledger(redis, app="test", token="t")
    ledger.enrol([event], NOW - 1)
    ledger.claim([Claim(event, NOW + 10, Kind.MISSED, NOW, 2)], NOW + 20)
    theirs = _enqueue_theirs(redis, ledger.job_id(Claim(event, NOW)))
    backfill = Backfill.of_event(redis, app="test", event=event, serializer="pickle")
    assert backfill.look(NOW, NOW + 20) is Standing.TAKEN
    assert backfill.push(NOW, NOW + 20) is Standing.TAKEN
    theirs.delete()
    assert backfill.push(NOW, NOW + 20) is Standing.OPEN


def test_a_hash_without_data_takes_no_id(redis: Redis, events: list[Event]) -> None:
    ledger = Ledger(redis, app="test", token="t")
    ledger.enrol(events, NOW - 1)
    ledger.claim([Claim(events[0], NOW + 10, Kind.MISSED, NOW, 2)], NOW + 20)
    # A worker writes this once it has ended a job that expired meanwhile.
    for identifier in (ledger.job_id(Claim(events[0], NOW)), manual_id("test", "e0", "again")):
        redis.hset(Job.key_for(identifier), "status", "finished")
    backfill = Backfill.of_event(redis, app="test", event=events[0], serializer="pickle")
    assert backfill.push(NOW, NOW + 20) is Standing.OPEN
    run_now(redis, "test", "e0", NOW, "again")
    assert redis.llen("rq:queue:default") == 2


def test_a_run_by_hand_says_that_another_job_has_its_id(redis: Redis, events: list[Event]) -> None:
    Ledger(redis, app="test", token="t").enrol(events, NOW - 1)
    _enqueue_theirs(redis, manual_id("test", "e0", "again"))
    with pytest.raises(JobIdTakenError, match=r"'e0' was not run: another job has the id 'e0-"):
        run_now(redis, "test", "e0", NOW, "again")
    assert redis.llen("rq:queue:default") == 1


@pytest.mark.parametrize("serializer", ["pickle", "json"])
def test_a_run_by_hand_asked_for_twice_knows_its_own_job(
    serializer: str, redis: Redis, read: ReadSchedule
) -> None:
    event = read(
        "every('10 seconds', 'tasks.x', name='io', meta={'team': 'io'})", serializer=serializer
    ).events["io"]
    Ledger(redis, app="test", token="t", serializer=serializer).enrol([event], NOW - 1)
    ids = {run_now(redis, "test", "io", NOW + again, "k") for again in range(2)}
    assert len(ids) == redis.llen("rq:queue:default") == 1


def _enqueue_theirs(redis: Redis, identifier: str) -> Job:
    """What 0.1.0 let a caller do, and what RQ's own ``enqueue`` does."""
    return Queue(connection=redis).enqueue("tasks.theirs", job_id=identifier)
