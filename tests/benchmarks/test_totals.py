"""Losses of a failover are told apart from errors of clocks."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from benchmarks.faults.intake import Taken
from benchmarks.faults.lineage import NOBODY, Lineage, Position
from benchmarks.faults.totals import Totals, add_up
from clock.decision import Kind
from clock.ledger.record import Record
from clock.schedule.event import Event
from tests.conftest import ReadSchedule

NOW = 1_800_000_000
FIRST, SECOND = NOW + 10, NOW + 20

KNOWN, FORGOTTEN, LATER = Position("old", 50), Position("old", 150), Position("new", 1)


@pytest.fixture
def event(read: ReadSchedule) -> Event:
    return read("every('10 seconds', 'tasks.x')").events["tasks.x"]


def test_jobs_taken_once_are_clean(event: Event) -> None:
    totals = _totals(event, {FIRST: [_at(KNOWN)], SECOND: [_at(LATER)]}, fired=2)
    assert totals.verdict.is_clean
    assert totals.overthrown == 0


def test_a_job_that_was_back_on_its_queue_does_not_count_as_doubled(event: Event) -> None:
    again = [_at(FORGOTTEN), _at(LATER)]
    totals = _totals(event, {FIRST: again, SECOND: [_at(LATER)]}, fired=2)
    assert totals.verdict.is_clean
    assert (totals.back_on_queue, totals.overthrown) == (1, 1)


def test_a_claim_repeated_after_a_failover_is_counted_apart(event: Event) -> None:
    again = [_at(FORGOTTEN), _at(LATER, enqueued="another time")]
    totals = _totals(event, {FIRST: again, SECOND: [_at(LATER)]}, fired=2)
    assert totals.verdict.is_clean
    assert (totals.claimed_again, totals.overthrown) == (1, 1)


def test_a_claim_repeated_although_it_was_known_is_doubled(event: Event) -> None:
    again = [_at(KNOWN), _at(LATER, enqueued="another time")]
    totals = _totals(event, {FIRST: again, SECOND: [_at(LATER)]}, fired=2)
    assert totals.verdict.doubled == ["tasks.x at 08:00:10 came 2 times"]


def test_a_job_taken_twice_from_one_forgotten_primary_is_doubled(event: Event) -> None:
    twice = [_at(FORGOTTEN), _at(FORGOTTEN)]
    totals = _totals(event, {FIRST: twice, SECOND: [_at(LATER)]}, fired=1)
    assert len(totals.verdict.doubled) == 1


def test_a_job_taken_and_then_forgotten_is_gone_but_ran(event: Event) -> None:
    totals = _totals(event, {FIRST: [_at(FORGOTTEN)], SECOND: [_at(LATER)]}, fired=1)
    assert totals.verdict.is_clean
    assert (totals.gone_but_taken, totals.overthrown) == (1, 1)


@pytest.mark.parametrize(
    ("kind", "counted"), [(Kind.FIRED, "gone"), (Kind.UNMET, "gone_undecided")]
)
def test_an_occurrence_that_only_a_lost_primary_decided_is_gone(
    event: Event, kind: Kind, counted: str
) -> None:
    totals = _totals(event, {SECOND: [_at(LATER)]}, fired=1, forgotten={FIRST: kind})
    assert totals.verdict.is_clean
    assert (getattr(totals, counted), totals.overthrown) == (1, 1)


def test_an_occurrence_that_nobody_decided_is_lost(event: Event) -> None:
    totals = _totals(event, {SECOND: [_at(LATER)]}, fired=1)
    assert totals.verdict.lost == ["tasks.x at 08:00:10 never came, for no reason"]


def test_a_job_that_vanished_although_its_claim_is_known_is_strange(event: Event) -> None:
    totals = _totals(event, {SECOND: [_at(LATER)]}, fired=2, forgotten={FIRST: Kind.FIRED})
    assert len(totals.verdict.strange) == 2


def _at(position: Position, enqueued: str = "one time") -> Taken:
    return Taken(position, enqueued)


def _totals(
    event: Event,
    taken: Mapping[int, list[Taken]],
    *,
    fired: int,
    forgotten: Mapping[int, Kind] | None = None,
) -> Totals:
    lineage = Lineage()
    for reign, before, second in (("old", NOBODY, -1), ("new", "old", 101)):
        info = {
            "role": "master",
            "master_replid": reign,
            "master_replid2": before,
            "second_repl_offset": second,
        }
        lineage.note(1, info, is_named=True)
    return add_up(
        [event],
        since=NOW,
        until=SECOND,
        taken={event.name: taken},
        reasons={},
        records={event.name: Record(SECOND, SECOND, "t", {"fired": fired}, ())},
        forgotten={event.name: forgotten or {}},
        lineage=lineage,
    )
