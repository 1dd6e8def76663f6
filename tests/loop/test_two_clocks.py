"""Two clocks of one schedule, and claims that fail, turn by turn."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from redis import Redis

from clock import Schedule
from clock.errors import ServerError
from clock.ledger.ledger import Claim, ClaimResult, Ledger
from clock.ledger.records import read_record
from clock.loop.loop import Loop
from clock.stop import Stop
from tests.conftest import ReadSchedule
from tests.live.jobs import scheduled
from tests.loop.passes import take_turn

START = 1_800_000_000


class Turns:
    """A clock whose turns are taken one by one, at given seconds after START."""

    def __init__(self, redis: Redis, schedule: Schedule, token: str) -> None:
        self._now = float(START)
        ledger = Ledger(redis, app="test", token=token)
        self._loop = Loop(list(schedule.events.values()), ledger, Stop(), now=lambda: self._now)

    def at(self, *moments: float) -> None:
        for moment in moments:
            self._now = START + moment
            take_turn(self._loop)


def test_a_clock_that_slept_while_another_fired_records_as_missed_only_what_nobody_fired(
    redis: Redis, read: ReadSchedule
) -> None:
    schedule = read("every('10 seconds', 'tasks.x')")
    one, two = Turns(redis, schedule, "one"), Turns(redis, schedule, "two")
    one.at(0)
    two.at(0)
    one.at(10, 20)
    two.at(55)
    assert _fired(redis) == [10, 20, 50]
    record = read_record(redis, "test", "tasks.x")
    assert (record.counters["fired"], record.counters["missed"]) == (3, 2)


@pytest.mark.parametrize("is_executed", [False, True])
def test_a_start_whose_first_claim_fails_still_fires_the_newest_alone(
    is_executed: bool, redis: Redis, read: ReadSchedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = read("every('10 seconds', 'tasks.x')")
    Turns(redis, schedule, "one").at(0)
    claim, failures = Ledger.claim, iter([True, True])

    def fail_twice(self: Ledger, claims: Sequence[Claim], now: float) -> list[ClaimResult]:
        if not next(failures, False):
            return claim(self, claims, now)
        if is_executed:
            claim(self, claims, now)
        raise ServerError("the reply is lost")

    monkeypatch.setattr(Ledger, "claim", fail_twice)
    Turns(redis, schedule, "two").at(45.0, 45.0, 45.1, 45.2)
    assert _fired(redis) == [40]
    assert read_record(redis, "test", "tasks.x").counters["missed"] == 3


def _fired(redis: Redis) -> list[int]:
    return [at - START for at in scheduled(redis, "tasks.x")]
