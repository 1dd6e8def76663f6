"""What the fault campaign counts where a server lost its data, and what it takes for an error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest

from benchmarks.faults.eras import Era, Totals, add_up
from clock.decision import COUNTERS
from clock.ledger.record import Record
from clock.schedule.event import Event
from tests.conftest import ReadSchedule

SINCE = 1_800_000_000
"""Instants below are seconds later than this."""


@pytest.fixture
def event(read: ReadSchedule) -> Event:
    schedule = read("every('1 second', 'tasks.x', name='x', catch_up=100_000)")
    return schedule.events["x"]


def test_what_came_once_in_each_era_is_clean(event: Event) -> None:
    totals = _totals(event, _era(1, 10, begun=0), _era(11, 20))
    assert totals.verdict.is_clean
    assert (totals.verdict.expected, totals.verdict.fired) == (20, 20)
    assert totals.left_out_by_clocks == totals.enqueued_again == 0


def test_what_a_clock_enqueues_again_soon_after_a_flush_is_counted(event: Event) -> None:
    totals = _totals(event, _era(1, 10, begun=0), _era(9, 20))
    assert totals.verdict.is_clean
    assert totals.enqueued_again == 2


def test_what_a_clock_enqueues_again_long_after_is_doubled(event: Event) -> None:
    totals = _totals(event, _era(1, 50, begun=0), _era(20, 60))
    assert len(totals.verdict.doubled) == 10
    assert totals.enqueued_again == 31


def test_a_clock_behind_and_one_ahead_may_leave_out_what_was_decided_before_the_flush(
    event: Event,
) -> None:
    after = _era(9, 20)
    for second in (10, 11):
        del after.received["x"][SINCE + second]
    after.records["x"].counters["fired"] -= 2
    totals = _totals(event, _era(1, 11, begun=0), after)
    assert totals.verdict.is_clean
    assert totals.enqueued_again == 1
    totals = _totals(event, _era(1, 10, begun=0), after)
    assert len(totals.verdict.lost) == 1


def test_what_the_ledger_counts_and_never_came_is_strange(event: Event) -> None:
    after = _era(11, 20)
    del after.received["x"][SINCE + 20]
    assert _totals(event, _era(1, 10, begun=0), after).verdict.strange


def test_what_nobody_decides_around_a_flush_is_counted(event: Event) -> None:
    totals = _totals(event, _era(1, 10, begun=0), _era(13, 20))
    assert totals.verdict.is_clean
    assert totals.left_out_by_clocks == 2


def test_what_nobody_decides_long_after_a_flush_is_lost(event: Event) -> None:
    totals = _totals(event, _era(1, 10, begun=0), _era(41, 60))
    assert len(totals.verdict.lost) == 10


def test_what_comes_again_after_a_restoration_is_doubled(event: Event) -> None:
    totals = _totals(event, _era(1, 10, begun=0), _era(9, 20, begun=8, restored_to=8))
    assert len(totals.verdict.doubled) == 2


def test_a_record_that_was_not_restored_far_enough_is_strange(event: Event) -> None:
    totals = _totals(event, _era(1, 10, begun=0), _era(9, 20, begun=8, restored_to=10))
    assert totals.verdict.strange


def test_what_is_not_made_up_after_a_restoration_is_lost(event: Event) -> None:
    after = _era(11, 20, begun=10, restored_to=10)
    del after.received["x"][SINCE + 15]
    totals = _totals(event, _era(1, 10, begun=0), after)
    assert len(totals.verdict.lost) == 1
    assert totals.verdict.strange  # the counters know better


def _totals(event: Event, *eras: Era) -> Totals:
    until = max(era.records["x"].decided for era in eras)
    return add_up([event], since=SINCE, until=until, eras=eras)


def _era(first: int, last: int, *, begun: int | None = None, restored_to: int | None = None) -> Era:
    """One in which all from ``first`` to ``last`` were enqueued, which was lost right then."""
    return Era(
        begun={} if begun is None else {"x": _record(begun, fired=0)},
        restored_to=None if restored_to is None else SINCE + restored_to,
        received={"x": Counter(_instants(range(first, last + 1)))},
        reasons={},
        records={"x": _record(last, fired=last + 1 - first)},
        ended=SINCE + last,
    )


def _record(decided: int, *, fired: int) -> Record:
    counters = dict.fromkeys(COUNTERS, 0) | {"fired": fired}
    return Record(SINCE + decided, SINCE + decided, "-", counters, ())


def _instants(seconds: Iterable[int]) -> Iterable[int]:
    return (SINCE + second for second in seconds)
