"""The catch-up rule: what is made up, what is passed over, and why."""

from __future__ import annotations

import pytest

from clock.decision import Kind
from clock.loop.catch_up import COUNTED, catch_up, count_between, oldest_kept
from clock.loop.due import Behind, Due, Passed, TimetableRow
from clock.recurrence.calendar_rule import calendar_rule
from clock.recurrence.elapsed import Elapsed
from clock.recurrence.period import Calendar
from clock.recurrence.published import Published
from clock.recurrence.recurrence import Recurrence, between
from clock.recurrence.union import Union
from clock.recurrence.zone import zone

EVERY_TEN = Elapsed(period=10, anchor=0)
HOURLY = calendar_rule(Calendar("hour")).recurrence(zone("Europe/Berlin"), "after", "first")


def test_latest_fires_the_newest_and_passes_over_the_rest() -> None:
    assert _caught_up(pending=100, horizon=155, most=1) == (
        (Passed(Kind.MISSED, 100, 140, 5),),
        150,
    )


def test_one_that_is_missed_alone_fires_and_nothing_is_passed_over() -> None:
    assert _caught_up(pending=150, horizon=155, most=1) == ((), 150)


def test_none_passes_over_all_of_them() -> None:
    assert _caught_up(pending=100, horizon=155, most=0) == (
        (Passed(Kind.MISSED, 100, 150, 6),),
        None,
    )


def test_none_still_fires_what_comes_after_the_time_without_claims() -> None:
    assert _caught_up(pending=100, horizon=155, most=0, now=171) == (
        (Passed(Kind.MISSED, 100, 150, 6),),
        160,
    )


def test_all_fires_the_oldest_first() -> None:
    assert _caught_up(pending=100, horizon=155, most=1000) == ((), 100)


def test_more_than_the_cap_are_cut_at_the_oldest() -> None:
    assert _caught_up(pending=100, horizon=155, most=2) == (
        (Passed(Kind.OVER_CAP, 100, 130, 4),),
        140,
    )


def test_a_time_that_was_not_missed_is_no_matter_of_catching_up() -> None:
    assert _caught_up(pending=160, horizon=155, most=0, now=161) == ((), 160)


def test_within_passes_over_what_is_too_old_to_fire() -> None:
    assert _caught_up(pending=100, horizon=155, most=1000, within=20) == (
        (Passed(Kind.TOO_LATE, 100, 130, 4),),
        140,
    )


def test_within_is_inclusive() -> None:
    assert _due(pending=150, horizon=155, most=1, within=5, now=155).fire == 150
    assert _due(pending=150, horizon=155, most=1, within=5, now=155.001).fire is None


def test_within_holds_for_a_late_tick_as_well() -> None:
    assert _caught_up(pending=150, horizon=0, most=1, within=3, now=156) == (
        (Passed(Kind.TOO_LATE, 150, 150, 1),),
        None,
    )


def test_the_newest_may_itself_be_too_late() -> None:
    assert _caught_up(pending=100, horizon=155, most=1, within=2, now=158) == (
        (
            Passed(Kind.MISSED, 100, 140, 5),
            Passed(Kind.TOO_LATE, 150, 150, 1),
        ),
        None,
    )


@pytest.mark.parametrize("most", [1, 2, 3, 7, 23, 24, 25, 40, 200])
@pytest.mark.parametrize("recurrence", [Elapsed(period=3600, anchor=0), HOURLY])
def test_the_cap_keeps_exactly_the_newest(recurrence: Recurrence, most: int) -> None:
    every = list(between(recurrence, 1_800_000_000, 1_800_000_000 + 90_000))
    first = oldest_kept(recurrence, every[0], every[-1] + 1800, most)
    assert every[every.index(first) :] == every[-most:]


def test_a_long_outage_of_a_quick_event_is_counted_without_walking_through_it() -> None:
    assert count_between(Elapsed(period=1, anchor=0), 1, 10**9) == 10**9


def test_a_long_outage_of_a_calendar_recurrence_is_counted_to_the_last() -> None:
    years = 8 * 365 + 2
    assert count_between(HOURLY, 1_800_000_000, 1_800_000_000 + years * 86_400) == years * 24 + 1


def test_what_takes_a_walk_is_counted_up_to_a_stated_limit() -> None:
    times = Union((Published(instants=tuple(range(COUNTED + 10)), is_all=True),))
    assert count_between(times, 1, COUNTED + 10) == COUNTED


def _caught_up(
    *, pending: int, horizon: int, most: int, now: float = 158, within: int | None = None
) -> tuple[tuple[Passed, ...], int | None]:
    """What is passed over, and what fires."""
    due = _due(pending=pending, horizon=horizon, most=most, now=now, within=within)
    return due.passed, due.fire


def _due(
    *, pending: int, horizon: int, most: int, now: float = 158, within: int | None = None
) -> Due:
    row = TimetableRow(recurrence=EVERY_TEN, catch_up=most, within=within)
    return catch_up(row, Behind(0, pending, horizon), now)
