"""The fault campaign detects lost, doubled and strange occurrences."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.faults.checker import Verdict, check, judge
from clock.decision import Decision, Kind
from clock.ledger.record import Record
from clock.schedule.event import Event
from tests.conftest import ReadSchedule

NOW = 1_800_000_000
INSTANTS = [NOW + 10, NOW + 20, NOW + 30]


@pytest.fixture
def event(read: ReadSchedule) -> Event:
    return read("every('10 seconds', 'tasks.x')").events["tasks.x"]


def test_occurrences_that_came_once_are_clean(event: Event) -> None:
    verdict = _judge(event, INSTANTS)
    assert verdict.is_clean
    assert (verdict.expected, verdict.fired) == (3, 3)


def test_an_occurrence_without_a_job_or_a_reason_is_lost(event: Event) -> None:
    verdict = _judge(event, INSTANTS[1:])
    assert verdict.lost == ["tasks.x at 08:00:10 never came, for no reason"]


def test_an_occurrence_that_came_twice_is_doubled(event: Event) -> None:
    verdict = _judge(event, [*INSTANTS, INSTANTS[0]])
    assert verdict.doubled == ["tasks.x at 08:00:10 came 2 times"]


def test_an_occurrence_with_a_recorded_reason_is_accounted_for(event: Event) -> None:
    run = Decision(Kind.MISSED, INSTANTS[0], INSTANTS[1], 2)
    verdict = _judge(event, INSTANTS[2:], run)
    assert verdict.is_clean
    assert verdict.reasons == {Kind.MISSED: 2}


def test_an_occurrence_that_came_although_recorded_as_missed_is_doubled(event: Event) -> None:
    run = Decision(Kind.MISSED, INSTANTS[0], INSTANTS[1], 2)
    verdict = _judge(event, INSTANTS[1:], run)
    assert verdict.doubled == ["tasks.x at 08:00:20 came and is recorded as MISSED"]


def test_an_event_with_catch_up_all_must_not_miss_anything(event: Event) -> None:
    makes_up = replace(event, policy=replace(event.policy, catch_up=100_000))
    verdict = _judge(makes_up, INSTANTS[1:], Decision(Kind.MISSED, NOW + 10, NOW + 10))
    assert verdict.lost == ["tasks.x at 08:00:10 is MISSED, and must not be"]


def test_a_job_without_an_occurrence_is_strange(event: Event) -> None:
    assert _judge(event, [*INSTANTS, NOW + 15]).strange == [
        "tasks.x at 08:00:15 is not an occurrence"
    ]


def test_a_run_that_counts_wrongly_is_strange(event: Event) -> None:
    verdict = _judge(event, INSTANTS[2:], Decision(Kind.MISSED, INSTANTS[0], INSTANTS[1], 3))
    assert len(verdict.strange) == 1


def test_two_reasons_for_one_occurrence_are_strange(event: Event) -> None:
    paused = Decision(Kind.PAUSED, INSTANTS[0], INSTANTS[0])
    missed = Decision(Kind.MISSED, INSTANTS[0], INSTANTS[0])
    verdict = _judge(event, INSTANTS[1:], paused, missed)
    assert verdict.strange == ["tasks.x at 08:00:10 has two reasons"]


def test_counters_that_disagree_with_the_jobs_are_strange(event: Event) -> None:
    counters = {"fired": 2, "missed": 0}
    verdict = check(
        [event],
        since=NOW,
        until=NOW + 30,
        received={event.name: Counter(INSTANTS)},
        reasons={},
        records={event.name: Record(NOW + 30, NOW + 30, "t", counters, ())},
    )
    assert verdict.strange == [
        "tasks.x: 3 came, counted 2 times",
        "tasks.x: 3 occurrences, 2 decisions counted",
    ]


def _judge(event: Event, came: list[int], *reasons: Decision) -> Verdict:
    return judge(event, INSTANTS, Counter(came), reasons)
