from __future__ import annotations

from datetime import UTC, date, datetime

from clock.recurrence.elapsed import Elapsed
from clock.recurrence.zone import END
from tests.recurrence.reading import fires, rule


def test_the_grid_passes_through_the_anchor() -> None:
    tens = Elapsed(period=600, anchor=60)
    assert [tens.next(after) for after in (59, 60, 659, 660)] == [60, 660, 660, 1260]


def test_a_clock_change_does_not_move_the_spacing() -> None:
    assert fires(
        rule("90 minutes"), "Europe/Berlin", "2026-03-28T23:30:00", "2026-03-29T03:00:00"
    ) == [
        "2026-03-29T01:30:00+01:00", "2026-03-29T04:00:00+02:00",
    ]  # fmt: skip


def test_without_an_anchor_the_grid_begins_on_2001_01_01_in_the_zone() -> None:
    assert fires(rule("5 hours"), "Asia/Tokyo", "2000-12-31T14:00:00", "2000-12-31T20:00:00") == [
        "2001-01-01T00:00:00+09:00", "2001-01-01T05:00:00+09:00",
    ]  # fmt: skip


def test_an_anchor_date_is_its_local_midnight() -> None:
    assert fires(
        rule("7 hours", anchor=date(2026, 1, 1)),
        "Asia/Tokyo",
        "2025-12-31T14:59:59",
        "2025-12-31T15:00:00",
    ) == ["2026-01-01T00:00:00+09:00"]


def test_an_anchor_instant_is_itself() -> None:
    anchor = datetime(2026, 1, 1, 0, 7, tzinfo=UTC)
    assert fires(rule("1h1m", anchor=anchor), "UTC", "2026-01-01T00:00", "2026-01-01T02:00") == [
        "2026-01-01T00:07:00+00:00", "2026-01-01T01:08:00+00:00",
    ]  # fmt: skip


def test_real_time_is_never_moved_and_ends_with_the_year_9999() -> None:
    tens = Elapsed(period=600, anchor=0)
    assert not tens.is_moved(600)
    assert tens.next(END - 1) is None
