from __future__ import annotations

import pytest

from clock.recurrence.elapsed import Elapsed
from clock.recurrence.recurrence import between, newest
from clock.recurrence.zone import zone
from tests.recurrence.reading import rule, seconds


def test_between_leaves_out_its_start_and_includes_its_end() -> None:
    assert list(between(Elapsed(period=10, anchor=0), 10, 40)) == [20, 30, 40]


def test_between_without_an_end_goes_on() -> None:
    endless = between(Elapsed(period=10, anchor=0), 0, None)
    assert [next(endless) for _ in range(3)] == [10, 20, 30]


@pytest.mark.parametrize(
    ("after", "until", "last"),
    [(0, 9, None), (0, 10, 10), (10, 19, None), (0, 99, 90), (0, 100, 100), (5, 5, None)],
)
def test_newest_is_the_last_of_a_span(after: int, until: int, last: int | None) -> None:
    assert newest(Elapsed(period=10, anchor=0), after, until) == last


def test_newest_finds_the_last_among_uneven_ones() -> None:
    monthly = rule("month", on="last").recurrence(zone("UTC"), "after", "first")
    span = seconds("2020-01-01T00:00"), seconds("2026-11-21T00:00")
    assert newest(monthly, *span) == seconds("2026-10-31T00:00")
