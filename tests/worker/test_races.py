"""Idle children that lose the race for a job wait a little before the next."""

from __future__ import annotations

from datetime import UTC, datetime

from clock.worker.races import LONGEST, WAIT, Races
from clock.worker.step import EndResult, Reply, TakeResult

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def reply(taken: TakeResult, ended: EndResult = EndResult.NOTHING) -> Reply:
    return Reply(ended, taken, "", "", "", NOW, {})


def longest(races: Races, count: int = 200) -> float:
    """The longest of many waits."""
    return max(races.begin() for _ in range(count))


def lose(races: Races, count: int) -> None:
    for _ in range(count):
        races.begin()
        races.count(reply(TakeResult.EMPTY))


def test_a_child_that_wins_never_waits() -> None:
    races = Races()
    for _ in range(3):
        assert longest(races) == 0
        races.count(reply(TakeResult.JOB))
        races.count(reply(TakeResult.EMPTY, EndResult.ENDED))


def test_each_lost_race_makes_the_wait_longer_up_to_a_bound() -> None:
    races = Races()
    lose(races, 3)
    assert WAIT < longest(races) <= 3 * WAIT
    lose(races, 100)
    assert 3 * WAIT < longest(races) <= LONGEST * WAIT


def test_a_won_race_ends_the_wait() -> None:
    races = Races()
    lose(races, 100)
    races.count(reply(TakeResult.JOB))
    assert longest(races) == 0


def test_a_look_without_a_notice_is_no_race() -> None:
    races = Races()
    for _ in range(5):
        races.count(reply(TakeResult.EMPTY))
    assert longest(races) == 0
