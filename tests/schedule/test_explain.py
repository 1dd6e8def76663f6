from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from clock.schedule.explain import explain
from tests.schedule.writing import event

AT = datetime(2026, 1, 1, tzinfo=UTC)
BERLIN = "timezone('Europe/Berlin')\n"


def what(folder: Path, source: str) -> list[str]:
    return [item.what for item in explain(event(folder, BERLIN + source), AT).changes]


def test_an_event_is_explained_in_a_sentence_with_its_zone(tmp_path: Path) -> None:
    explanation = explain(event(tmp_path, BERLIN + "every('day', 'tasks.a', at='09:30')"), AT)
    assert explanation.sentence == "Every day at 09:30, in Europe/Berlin."
    assert (explanation.name, explanation.tz) == ("tasks.a", "Europe/Berlin")


def test_a_disabled_event_is_explained_as_not_enabled(tmp_path: Path) -> None:
    source = "every('day', 'tasks.a', enabled=False, tz='UTC')"
    assert explain(event(tmp_path, source), AT).sentence == (
        "Every day at 00:00, in UTC (not enabled)."
    )


def test_the_next_occurrences_have_local_times_and_marks(tmp_path: Path) -> None:
    source = BERLIN + "every('day', 'tasks.a', at='02:30')"
    explanation = explain(event(tmp_path, source), datetime(2026, 3, 28, tzinfo=UTC), count=2)
    assert [(item.local.isoformat(), item.mark) for item in explanation.next] == [
        ("2026-03-28T02:30:00+01:00", None),
        ("2026-03-29T03:00:00+02:00", "gap"),
    ]
    assert explanation.next[0].scheduled_at == datetime(2026, 3, 28, 1, 30, tzinfo=UTC)


def test_a_change_is_data_too(tmp_path: Path) -> None:
    gap, fold = explain(event(tmp_path, BERLIN + "every('day', 'tasks.a', at='02:30')"), AT).changes
    assert (gap.kind, gap.at) == ("gap", datetime(2026, 3, 29, 1, tzinfo=UTC))
    assert gap.fires == (datetime(2026, 3, 29, 1, tzinfo=UTC),)
    assert (fold.kind, fold.at) == ("fold", datetime(2026, 10, 25, 1, tzinfo=UTC))
    assert fold.fires == (datetime(2026, 10, 25, 0, 30, tzinfo=UTC),)


@pytest.mark.parametrize(
    ("source", "gap", "fold"),
    [
        (
            "every('day', 'tasks.a', at='02:30')",
            "on 2026-03-29 02:30 does not exist: fires at 03:00+02:00 instead",
            "on 2026-10-25 02:30 comes twice: fires once, at 02:30+02:00",
        ),
        (
            "every('day', 'tasks.a', at='02:30', gap='shift', fold='second')",
            "on 2026-03-29 02:30 does not exist: fires at 03:30+02:00 instead",
            "on 2026-10-25 02:30 comes twice: fires once, at 02:30+01:00",
        ),
        (
            "every('day', 'tasks.a', at='02:30', gap='skip', fold='both')",
            "on 2026-03-29 02:30 does not exist: does not fire",
            "on 2026-10-25 02:30 comes twice: fires both times, at 02:30+02:00 and 02:30+01:00",
        ),
        (
            "every('hour', 'tasks.a', at='**:15')",
            "on 2026-03-29 02:15 does not exist: does not fire",
            "on 2026-10-25 02:15 comes twice: fires both times, at 02:15+02:00 and 02:15+01:00",
        ),
        (
            "every(cron('*/10 2 * * *') | 'day at 02:05', 'tasks.a')",
            "on 2026-03-29 02:00 to 02:50 (7 times) do not exist: fires at 03:00+02:00 instead",
            "on 2026-10-25 02:00 to 02:50 (7 times) come twice: "
            "fires once, at 02:00+02:00 to 02:50+01:00 (13 times)",
        ),
        (
            "every('day', 'tasks.a', at='02:30', start='2026-01-01', until='2026-12-31')",
            "on 2026-03-29 02:30 does not exist: fires at 03:00+02:00 instead",
            "on 2026-10-25 02:30 comes twice: fires once, at 02:30+02:00",
        ),
    ],
)
def test_what_a_clock_change_does_is_told(tmp_path: Path, source: str, gap: str, fold: str) -> None:
    assert what(tmp_path, source) == [gap, fold]


@pytest.mark.parametrize(
    "source",
    [
        "every('day', 'tasks.a', at='09:30')",
        "every('10 minutes', 'tasks.a')",
        "every('monday', 'tasks.a', at='02:30')",
        "every('day', 'tasks.a', at='02:30', tz='Asia/Tokyo')",
        "every('day', 'tasks.a', at='02:30', until='2026-02-01')",
    ],
)
def test_a_change_that_touches_nothing_is_not_told(tmp_path: Path, source: str) -> None:
    assert what(tmp_path, source) == []


def test_a_naive_instant_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no zone"):
        explain(event(tmp_path, "every('day', 'tasks.a')"), datetime(2026, 1, 1))  # noqa: DTZ001


def notes(folder: Path, source: str) -> tuple[str, ...]:
    return explain(event(folder, BERLIN + source), AT).notes


def test_what_a_sentence_does_not_say_is_a_note(tmp_path: Path) -> None:
    assert notes(tmp_path, "every('day', 'tasks.a', at='09:30')") == ()
    assert notes(tmp_path, "every('6 hours', 'tasks.a')") == (
        "counts 6 hours of real time, so from 2026-03-29 on it falls on other local times, "
        "1 h later; write every('6 hours', at='**:00') to keep them",
    )
    assert notes(tmp_path, "every('2 weeks', 'tasks.a', at='mon 9am', anchor='2026-01-05')") == (
        "fires in one of 2 weeks, next in that of Monday 2026-01-05; "
        "anchor= with a date of another week moves it",
    )
    assert notes(tmp_path, "every('day', 'tasks.a', if_=lambda t: t.day == 1)") == (
        "fires only where its condition <lambda>() is met",
    )
