from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from clock.schedule.diff import MOST, EventDiff, diff
from tests.schedule.writing import schedule

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 4, tzinfo=UTC)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 1, day, hour, minute, tzinfo=UTC)


def between(folder: Path, old: str, new: str) -> list[EventDiff]:
    header = "timezone('UTC')\n"
    return diff(
        schedule(folder, header + old, "old.py"),
        schedule(folder, header + new, "new.py"),
        START,
        END,
    )


def test_equal_schedules_have_no_diff(tmp_path: Path) -> None:
    source = "every('day', 'tasks.a')\nevery('hour', 'tasks.b')"
    assert between(tmp_path, source, source) == []


def test_another_queue_or_another_spelling_is_no_diff(tmp_path: Path) -> None:
    old = "every('day', 'tasks.a', at='09:00')"
    assert between(tmp_path, old, "every(cron('0 9 * * *'), 'tasks.a', queue='io')") == []


def test_a_new_event_is_added_and_an_old_one_dropped(tmp_path: Path) -> None:
    old, new = "every('day', 'tasks.a', at='09:00')", "every('day', 'tasks.b', at='10:00')"
    assert between(tmp_path, old, new) == [
        EventDiff(name="tasks.b", added=(at(1, 10), at(2, 10), at(3, 10))),
        EventDiff(name="tasks.a", dropped=(at(1, 9), at(2, 9), at(3, 9))),
    ]


def test_another_time_of_day_is_a_move(tmp_path: Path) -> None:
    old, new = "every('day', 'tasks.a', at='09:00')", "every('day', 'tasks.a', at='10:00')"
    (only,) = between(tmp_path, old, new)
    assert only.moved == ((at(1, 9), at(1, 10)), (at(2, 9), at(2, 10)), (at(3, 9), at(3, 10)))
    assert (only.added, only.dropped) == ((), ())


def test_one_more_time_of_day_is_added(tmp_path: Path) -> None:
    old = "every('day', 'tasks.a', at='09:00')"
    (only,) = between(tmp_path, old, "every('day', 'tasks.a', at=['09:00', '18:00'])")
    assert only.added == (at(1, 18), at(2, 18), at(3, 18))
    assert (only.dropped, only.moved) == ((), ())


def test_one_moved_and_one_added_are_told_apart_within_a_day(tmp_path: Path) -> None:
    old = "every('day', 'tasks.a', at='09:00')"
    (only,) = between(tmp_path, old, "every('day', 'tasks.a', at=['10:00', '18:00'])")
    assert only.moved == ((at(1, 9), at(1, 10)), (at(2, 9), at(2, 10)), (at(3, 9), at(3, 10)))
    assert only.added == (at(1, 18), at(2, 18), at(3, 18))


def test_another_zone_moves(tmp_path: Path) -> None:
    old = "every('day', 'tasks.a', at='09:00')"
    (only,) = between(tmp_path, old, "every('day', 'tasks.a', at='09:00', tz='Europe/Berlin')")
    assert only.moved[0] == (at(1, 9), at(1, 8))


def test_an_event_that_is_switched_off_is_dropped(tmp_path: Path) -> None:
    old = "every('day', 'tasks.a', at='09:00')"
    (only,) = between(tmp_path, old, "every('day', 'tasks.a', at='09:00', enabled=False)")
    assert only.dropped == (at(1, 9), at(2, 9), at(3, 9))


def test_a_diff_reports_where_it_stopped_comparing(tmp_path: Path) -> None:
    (only,) = between(tmp_path, "every('10 seconds', 'tasks.a')", "every('5 seconds', 'tasks.a')")
    assert only.compared_until == datetime(2026, 1, 1, 13, 53, 20, tzinfo=UTC)
    assert len(only.added) == MOST / 2
    assert only.dropped == ()


def test_a_naive_bound_is_refused(tmp_path: Path) -> None:
    one, two = (schedule(tmp_path, f"every('day', 'tasks.a', at='0{n}:00')") for n in (1, 2))
    with pytest.raises(ValueError, match="has no zone"):
        diff(one, two, datetime(2026, 1, 1), END)  # noqa: DTZ001
