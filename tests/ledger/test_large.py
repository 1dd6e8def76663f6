"""Events with large jobs: no call of a script takes many of them."""

from __future__ import annotations

import pytest
from redis import Redis
from rq import Queue

from clock.decision import Kind
from clock.ledger.ledger import Claim, Ledger
from clock.schedule.event import Event
from tests.conftest import ReadSchedule

NOW = 1_800_000_000

LARGE = "random.Random(n).randbytes(600_000).hex()"
"""An argument of 1.2 MB of which half is left when it is packed."""


@pytest.fixture
def events(read: ReadSchedule) -> list[Event]:
    """Twenty small events and, among them, ten large ones."""
    lines = (
        "import random",
        "for n in range(30): every('day', 'tasks.x', name=f'e{n}',"
        f" args=[{LARGE} if n % 3 == 0 else n])",
    )
    return list(read(*lines).events.values())


def test_large_events_are_enrolled_one_by_one(redis: Redis, events: list[Event]) -> None:
    ledger = Ledger(redis, app="test", token="t")
    redis.config_resetstat()
    assert ledger.enrol(events, NOW - 1) == [NOW - 1] * 30
    assert 10 <= _calls(redis) <= 20


def test_large_events_are_claimed_few_at_once_and_in_order(
    redis: Redis, events: list[Event]
) -> None:
    ledger = Ledger(redis, app="test", token="t")
    ledger.enrol(events, NOW - 1)
    claims = [Claim(event, NOW) for event in events]
    redis.config_resetstat()
    outcomes = ledger.claim(claims, NOW)
    assert _calls(redis) == 10
    assert [outcome.claim for outcome in outcomes] == claims
    assert {outcome.kind for outcome in outcomes} == {Kind.FIRED}
    ids = [ledger.job_id(claim) for claim in claims]
    assert Queue(connection=redis).job_ids == ids


def test_what_an_event_passes_over_is_claimed_with_what_it_fires(
    redis: Redis, events: list[Event]
) -> None:
    ledger = Ledger(redis, app="test", token="t")
    ledger.enrol(events, NOW - 1)
    redis.set("rq:queue:default", "x")
    claims = [
        claim
        for event in events
        for claim in (Claim(event, NOW, Kind.MISSED, NOW, 1), Claim(event, NOW + 60))
    ]
    assert all(outcome.is_refused for outcome in ledger.claim(claims, NOW + 61))


def test_claims_of_small_events_are_one_call(redis: Redis, read: ReadSchedule) -> None:
    events = list(
        read(
            "import random",
            "for n in range(200): every('day', 'tasks.x', name=f'e{n}', args=[n])",
            "every('day', 'tasks.y', args=[random.randbytes(50_000).hex()])",
        ).events.values()
    )
    ledger = Ledger(redis, app="test", token="t")
    ledger.enrol(events, NOW - 1)
    redis.config_resetstat()
    ledger.claim([Claim(event, NOW) for event in events], NOW)
    assert _calls(redis) == 1


def test_large_events_claimed_too_late_stay_undecided(redis: Redis, events: list[Event]) -> None:
    ledger = Ledger(redis, app="test", token="t")
    ledger.enrol(events, NOW - 1)
    settled = ledger.receive(ledger.send([Claim(event, NOW) for event in events], NOW, NOW - 1))
    assert settled.outcomes is None
    assert redis.llen("rq:queue:default") == 0


def _calls(redis: Redis) -> int:
    """Calls of scripts since the statistics began."""
    stats = redis.info("commandstats")
    return sum(
        stats[name]["calls"] for name in ("cmdstat_eval", "cmdstat_evalsha") if name in stats
    )
