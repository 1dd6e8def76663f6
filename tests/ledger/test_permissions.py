"""A user who may not do everything: what is recorded has its job all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from redis import Redis

from clock.connection.client import connect
from clock.decision import Kind
from clock.errors import NotAQueueError, ServerError
from clock.ledger.backfill import Backfill
from clock.ledger.ledger import Claim, Ledger
from clock.ledger.manual import run_now
from clock.ledger.record import Record
from clock.ledger.records import read_record
from clock.schedule.event import Event
from tests.conftest import ReadSchedule

NOW = 1_800_000_000


@pytest.fixture
def limited(redis: Redis, server_url: str) -> Iterator[Redis]:
    """A connection of the user ``limited``, who may do everything until told otherwise."""
    _allow(redis, "on", "nopass", "~*", "+@all")
    with connect(server_url.replace("//", "//limited:any@")) as connection:
        yield connection
    redis.acl_deluser("limited")


@pytest.fixture
def event(read: ReadSchedule) -> Event:
    return read("every('10 seconds', 'tasks.x')").events["tasks.x"]


def test_a_queue_one_may_not_push_to_is_refused_and_nothing_is_recorded(
    redis: Redis, limited: Redis, event: Event
) -> None:
    ledger = _ledger(limited, event)
    _allow(redis, "-rpush")
    for _ in range(2):
        (outcome,) = ledger.claim([Claim(event, NOW)], NOW)
        assert outcome.is_refused
    assert _record(redis).decided == NOW - 1
    _allow(redis, "+rpush")
    (outcome,) = ledger.claim([Claim(event, NOW)], NOW)
    assert outcome.kind is Kind.FIRED
    assert redis.llen("rq:queue:default") == 1


def test_the_queue_of_one_event_does_not_hold_up_that_of_another(
    redis: Redis, limited: Redis, event: Event, read: ReadSchedule
) -> None:
    other = read("every('10 seconds', 'tasks.y', queue='other')").events["tasks.y"]
    ledger = _ledger(limited, event, other)
    ours = ("~clock:*", "~rq:job:*", "~rq:queues", "~rq:queue:other")
    _allow(redis, "resetkeys", *ours, "%R~rq:queue:*")
    outcomes = ledger.claim([Claim(event, NOW), Claim(other, NOW)], NOW)
    assert [(outcome.kind, outcome.is_refused) for outcome in outcomes] == [
        (None, True),
        (Kind.FIRED, False),
    ]
    assert [redis.llen("rq:queue:default"), redis.llen("rq:queue:other")] == [0, 1]


def test_a_claim_denied_sadd_records_nothing(redis: Redis, limited: Redis, event: Event) -> None:
    ledger = _ledger(limited, event)
    _allow(redis, "-sadd")
    with pytest.raises(ServerError):
        ledger.claim([Claim(event, NOW)], NOW)
    assert _record(redis).decided == NOW - 1


@pytest.mark.parametrize("way", ["by hand", "backfill"])
def test_a_job_outside_a_claim_is_not_written_where_it_cannot_be_pushed(
    way: str, redis: Redis, limited: Redis, event: Event
) -> None:
    _ledger(limited, event)
    _allow(redis, "-rpush")
    backfill = Backfill.of_event(limited, app="test", event=event, serializer="pickle")
    push: Callable[[], object] = {
        "by hand": lambda: run_now(limited, "test", "tasks.x", NOW),
        "backfill": lambda: backfill.push(NOW - 10, NOW),
    }[way]
    with pytest.raises(NotAQueueError, match="rq:queue:default holds no queue, or nothing may be"):
        push()
    assert redis.keys("rq:*") == []


def _allow(redis: Redis, *rules: str) -> None:
    redis.execute_command("ACL", "SETUSER", "limited", *rules)  # type: ignore[no-untyped-call]


def _ledger(connection: Redis, *events: Event) -> Ledger:
    ledger = Ledger(connection, app="test", token="t")
    ledger.enrol(events, NOW - 1)
    return ledger


def _record(redis: Redis) -> Record:
    return read_record(redis, "test", "tasks.x")
