from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from tests.schedule.writing import event

DAILY = "timezone('Europe/Berlin')\nevery('day', 'tasks.a', at='02:30')"


def test_occurrences_are_aware_utc_strictly_after_and_up_to_until(tmp_path: Path) -> None:
    noon = event(tmp_path, "every('day', 'tasks.a', at='12:00', tz='UTC')")
    first = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert list(noon.occurrences(first, first + timedelta(days=2))) == [
        first + timedelta(days=1),
        first + timedelta(days=2),
    ]


def test_occurrences_without_an_end_are_endless(tmp_path: Path) -> None:
    noon = event(tmp_path, "every('day', 'tasks.a', at='12:00', tz='UTC')")
    instants = list(islice(noon.occurrences(datetime(2026, 1, 1, tzinfo=UTC)), 400))
    assert len(instants) == 400


def test_a_fraction_of_a_second_before_an_occurrence_is_before_it(tmp_path: Path) -> None:
    noon = event(tmp_path, "every('day', 'tasks.a', at='12:00', tz='UTC')")
    just_before = datetime(2026, 1, 1, 11, 59, 59, 900_000, tzinfo=UTC)
    assert next(noon.occurrences(just_before)) == datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_a_naive_datetime_is_refused(tmp_path: Path) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    with pytest.raises(ValueError, match=r".") as caught:
        event(tmp_path, DAILY).occurrences(naive)
    assert str(caught.value) == (
        "2026-01-01T00:00:00 has no zone; use an aware datetime, as datetime.now(UTC)"
    )


def test_an_occurrence_moved_out_of_a_gap_is_marked(tmp_path: Path) -> None:
    daily = event(tmp_path, DAILY)
    assert daily.mark(int(datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp())) == "gap"
    assert daily.mark(int(datetime(2026, 3, 28, 1, 30, tzinfo=UTC).timestamp())) is None


def test_an_occurrence_whose_time_comes_twice_is_marked(tmp_path: Path) -> None:
    daily = event(tmp_path, DAILY)
    assert daily.mark(int(datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp())) == "fold"
    assert daily.mark(int(datetime(2026, 10, 24, 0, 30, tzinfo=UTC).timestamp())) is None


def test_arguments_and_queues_do_not_change_the_identity(tmp_path: Path) -> None:
    plain = event(tmp_path, "every('day', 'tasks.a')")
    other = event(tmp_path, "every('day', 'tasks.b', args=[1], queue='io', timeout=5, retry=3)")
    assert plain.identity() == other.identity()


@pytest.mark.parametrize(
    "other",
    [
        "every('day', 'tasks.a', at='09:31')",
        "every('day', 'tasks.a', at='09:30', tz='Asia/Tokyo')",
        "every('day', 'tasks.a', at='09:30', fold='both')",
        "every('day', 'tasks.a', at='09:30', gap='skip')",
        "every('day', 'tasks.a', at='09:30', enabled=False)",
        "every('weekday', 'tasks.a', at='09:30')",
    ],
)
def test_another_recurrence_is_another_identity(tmp_path: Path, other: str) -> None:
    plain = event(tmp_path, "every('day', 'tasks.a', at='09:30')")
    assert plain.identity() != event(tmp_path, other).identity()
