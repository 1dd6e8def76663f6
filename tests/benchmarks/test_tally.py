"""What overthrown primaries took with them is told from what clocks did wrong."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from benchmarks.faults.intake import Taken
from benchmarks.faults.lineage import NOBODY, Lineage, Place
from benchmarks.faults.tally import Tally, tally
from clock.decision import Kind
from clock.ledger.record import Record
from clock.schedule.event import Event
from tests.conftest import ReadSchedule

NOW = 1_800_000_000
FIRST, SECOND = NOW + 10, NOW + 20

KNOWN, FORGOTTEN, LATER = Place("old", 50), Place("old", 150), Place("new", 1)


@pytest.fixture
def event(read: ReadSchedule) -> Event:
    return read("every('10 seconds', 'tasks.x')").events["tasks.x"]


def test_what_was_taken_once_each_is_clean(event: Event) -> None:
    found = _tally(event, {FIRST: [_at(KNOWN)], SECOND: [_at(LATER)]}, fired=2)
    assert found.verdict.is_clean
    assert found.overthrown == 0


def test_a_job_that_was_back_on_its_queue_is_not_doubled_by_a_clock(event: Event) -> None:
    again = [_at(FORGOTTEN), _at(LATER)]
    found = _tally(event, {FIRST: again, SECOND: [_at(LATER)]}, fired=2)
    assert found.verdict.is_clean
    assert (found.back_on_queue, found.overthrown) == (1, 1)


def test_a_claim_made_again_where_it_was_forgotten_is_counted_apart(event: Event) -> None:
    again = [_at(FORGOTTEN), _at(LATER, enqueued="another time")]
    found = _tally(event, {FIRST: again, SECOND: [_at(LATER)]}, fired=2)
    assert found.verdict.is_clean
    assert (found.claimed_again, found.overthrown) == (1, 1)


def test_a_claim_made_again_although_it_was_known_is_doubled(event: Event) -> None:
    again = [_at(KNOWN), _at(LATER, enqueued="another time")]
    found = _tally(event, {FIRST: again, SECOND: [_at(LATER)]}, fired=2)
    assert found.verdict.doubled == ["tasks.x at 08:00:10 came 2 times"]


def test_a_job_taken_twice_from_one_forgotten_primary_is_doubled(event: Event) -> None:
    twice = [_at(FORGOTTEN), _at(FORGOTTEN)]
    found = _tally(event, {FIRST: twice, SECOND: [_at(LATER)]}, fired=1)
    assert len(found.verdict.doubled) == 1


def test_what_was_taken_and_then_forgotten_is_gone_but_ran(event: Event) -> None:
    found = _tally(event, {FIRST: [_at(FORGOTTEN)], SECOND: [_at(LATER)]}, fired=1)
    assert found.verdict.is_clean
    assert (found.gone_but_taken, found.overthrown) == (1, 1)


@pytest.mark.parametrize(
    ("kind", "counted"), [(Kind.FIRED, "gone"), (Kind.UNMET, "gone_undecided")]
)
def test_what_only_an_overthrown_primary_decided_is_gone(
    event: Event, kind: Kind, counted: str
) -> None:
    found = _tally(event, {SECOND: [_at(LATER)]}, fired=1, forgotten={FIRST: kind})
    assert found.verdict.is_clean
    assert (getattr(found, counted), found.overthrown) == (1, 1)


def test_what_nobody_ever_decided_is_lost(event: Event) -> None:
    found = _tally(event, {SECOND: [_at(LATER)]}, fired=1)
    assert found.verdict.lost == ["tasks.x at 08:00:10 never came, for no reason"]


def test_a_job_that_vanished_although_its_claim_is_known_is_strange(event: Event) -> None:
    found = _tally(event, {SECOND: [_at(LATER)]}, fired=2, forgotten={FIRST: Kind.FIRED})
    assert len(found.verdict.strange) == 2


def _at(place: Place, enqueued: str = "one time") -> Taken:
    return Taken(place, enqueued)


def _tally(
    event: Event,
    taken: Mapping[int, list[Taken]],
    *,
    fired: int,
    forgotten: Mapping[int, Kind] | None = None,
) -> Tally:
    lineage = Lineage()
    for reign, before, second in (("old", NOBODY, -1), ("new", "old", 101)):
        said = {
            "role": "master",
            "master_replid": reign,
            "master_replid2": before,
            "second_repl_offset": second,
        }
        lineage.note(1, said, is_named=True)
    return tally(
        [event],
        since=NOW,
        until=SECOND,
        taken={event.name: taken},
        reasons={},
        records={event.name: Record(SECOND, SECOND, "t", {"fired": fired}, ())},
        forgotten={event.name: forgotten or {}},
        lineage=lineage,
    )
