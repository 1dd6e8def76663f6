"""A job that the claim copied from its neighbour in the batch is the job it would be alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from clock.connection.client import connect
from clock.decision import Kind
from clock.ledger.ledger import Claim, Ledger
from clock.schedule.event import Event
from tests.conftest import ReadSchedule
from tests.ledger.test_contract import OPTIONS

NOW = 1_800_000_000


@pytest.fixture(params=["may copy", "may not copy"])
def connection(request: pytest.FixtureRequest, redis: Redis, server_url: str) -> Iterator[Redis]:
    """A connection of a user who may do everything, or everything but COPY."""
    rules = ["on", "nopass", "~*", "+@all", *(["-copy"] if request.param == "may not copy" else [])]
    redis.execute_command("ACL", "SETUSER", "copier", *rules)  # type: ignore[no-untyped-call]
    with connect(server_url.replace("//", "//copier:any@")) as limited:
        yield limited
    redis.acl_deluser("copier")


@pytest.mark.parametrize("option", OPTIONS)
def test_a_copied_job_is_what_it_would_be_alone(
    option: str, connection: Redis, redis: Redis, read: ReadSchedule
) -> None:
    words = OPTIONS[option][0].replace("args=[1, 'two', None]", "args=[2]")
    events = read(
        f"every('day', 'tasks.x', name='model', {words or 'args=[1]'})",
        f"every('day', 'tasks.x', name='in between', {words or 'args=[3]'})",
        f"every('day', 'tasks.x', name='copy', {words})",
    ).events
    ledger = _ledger(connection, *events.values())
    _fire(ledger, *((event, NOW) for event in events.values()))
    (among,) = _jobs(redis, "copy")

    redis.flushall()
    ledger = _ledger(connection, events["copy"])
    _fire(ledger, (events["copy"], NOW))
    (alone,) = _jobs(redis, "copy")
    assert among == alone


def test_copies_of_several_shapes_in_one_batch_do_not_mix(
    connection: Redis, redis: Redis, read: ReadSchedule
) -> None:
    events = read(
        *(
            f"every('day', 'tasks.x', name='{kind} {number}', args=[{number}], {words})"
            for number in range(3)
            for kind, words in (("plain", ""), ("short", "timeout=7"), ("old", "expires='10s'"))
        )
    ).events
    ledger = _ledger(connection, *events.values())
    _fire(ledger, *((event, NOW) for event in events.values()))
    among = {name: _jobs(redis, name) for name in events}
    for name, event in events.items():
        redis.flushall()
        ledger = _ledger(connection, event)
        _fire(ledger, (event, NOW))
        assert among[name] == _jobs(redis, name)


def test_a_job_taken_back_in_the_same_batch_is_not_copied(
    connection: Redis, redis: Redis, read: ReadSchedule
) -> None:
    first, second = read(
        "every('1 minute', 'tasks.x', name='first', args=[1], overlap='replace')",
        "every('1 minute', 'tasks.x', name='second', args=[2], overlap='replace')",
    ).events.values()
    ledger = _ledger(connection, first, second)
    _fire(ledger, (first, NOW), (first, NOW + 60), (second, NOW + 60))
    among = [*_jobs(redis, "first"), *_jobs(redis, "second")]

    redis.flushall()
    ledger = _ledger(connection, first, second)
    for occurrence in ((first, NOW), (first, NOW + 60), (second, NOW + 60)):
        _fire(ledger, occurrence)
    assert among == [*_jobs(redis, "first"), *_jobs(redis, "second")]
    assert len(among) == 2


def test_what_an_expired_job_left_under_its_key_is_not_copied(
    connection: Redis, redis: Redis, read: ReadSchedule
) -> None:
    events = read(*(f"every('day', 'tasks.x', name='n{number}')" for number in range(3))).events
    _fire(_ledger(connection, *events.values()), *((event, NOW) for event in events.values()))
    clean = [_jobs(redis, name) for name in ("n1", "n2")]
    ((stale, _, _),) = _jobs(redis, "n0")

    redis.flushall()
    redis.hset(stale, mapping={"exc_info": "an old failure", "status": "failed"})
    redis.expire(stale, 500)
    _fire(_ledger(connection, *events.values()), *((event, NOW) for event in events.values()))
    assert [_jobs(redis, name) for name in ("n1", "n2")] == clean


def _ledger(connection: Redis, *events: Event) -> Ledger:
    ledger = Ledger(connection, app="copies", token="t")
    ledger.enrol(events, NOW - 1)
    return ledger


def _fire(ledger: Ledger, *occurrences: tuple[Event, int]) -> None:
    now = occurrences[-1][1] + 0.25
    outcomes = ledger.claim([Claim(event, at) for event, at in occurrences], now)
    assert {outcome.kind for outcome in outcomes} == {Kind.FIRED}


def _jobs(redis: Redis, event: str) -> list[Any]:
    """The jobs of an event that are there, by id: the fields, and until when each is kept."""
    job_keys: Any = redis.keys(f"rq:job:{event.replace(' ', '-')}-*")
    return [(key, redis.hgetall(key), redis.pexpiretime(key)) for key in sorted(job_keys)]
