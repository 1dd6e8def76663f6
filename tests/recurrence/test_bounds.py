from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from clock.errors import RecurrenceError
from clock.recurrence.bounds import Bound, BoundedRule
from clock.recurrence.zone import zone
from tests.recurrence.reading import fires, rule

WEEK = ("2026-01-01T00:00", "2026-01-08T00:00")


def bounded(start: Bound | None, until: Bound | None) -> BoundedRule:
    return BoundedRule(inner=rule("day", at=["00:00", "12:00"]), start=start, until=until)


def test_a_first_date_counts_from_its_local_midnight() -> None:
    assert fires(bounded(date(2026, 1, 7), None), "Asia/Tokyo", *WEEK) == [
        "2026-01-07T00:00:00+09:00", "2026-01-07T12:00:00+09:00", "2026-01-08T00:00:00+09:00",
    ]  # fmt: skip


def test_a_last_date_counts_to_the_end_of_its_local_day() -> None:
    assert fires(bounded(None, date(2026, 1, 2)), "Asia/Tokyo", *WEEK) == [
        "2026-01-01T12:00:00+09:00", "2026-01-02T00:00:00+09:00", "2026-01-02T12:00:00+09:00",
    ]  # fmt: skip


def test_instants_bound_to_the_second_both_included() -> None:
    first, last = datetime(2026, 1, 2, 12, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)
    assert fires(bounded(first, last), "UTC", *WEEK) == [
        "2026-01-02T12:00:00+00:00", "2026-01-03T00:00:00+00:00",
    ]  # fmt: skip


def test_a_fraction_of_a_second_is_rounded_inwards() -> None:
    first = datetime(2026, 1, 2, 12, 0, 0, 1, tzinfo=UTC)
    last = datetime(2026, 1, 3, 11, 59, 59, 999_999, tzinfo=UTC)
    assert fires(bounded(first, last), "UTC", *WEEK) == ["2026-01-03T00:00:00+00:00"]


def test_it_is_over_after_its_end() -> None:
    recurrence = bounded(None, date(2026, 1, 2)).recurrence(zone("UTC"), "after", "first")
    assert recurrence.next(int(datetime(2026, 1, 2, 12, tzinfo=UTC).timestamp())) is None
    assert recurrence.next(10**11) is None


def test_bounds_are_spelled() -> None:
    assert str(bounded(date(2026, 1, 7), date(2026, 2, 1))) == (
        "day at 00:00, 12:00 starting 2026-01-07 until 2026-02-01"
    )


@pytest.mark.parametrize(
    ("start", "until", "message"),
    [
        (
            date(2026, 2, 1),
            date(2026, 1, 1),
            "until=2026-01-01 is before start=2026-02-01, so it never fires",
        ),
        (
            datetime(2026, 1, 1, 1, tzinfo=UTC),
            datetime(2026, 1, 1, 2, tzinfo=UTC),
            "'day at 00:00, 12:00 starting 2026-01-01T01:00:00+00:00 "
            "until 2026-01-01T02:00:00+00:00' never fires: nothing is due within its bounds",
        ),
    ],
)
def test_bounds_that_hold_nothing_are_refused(start: Bound, until: Bound, message: str) -> None:
    with pytest.raises(RecurrenceError) as caught:
        bounded(start, until).recurrence(zone("UTC"), "after", "first")
    assert str(caught.value) == message
