from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from clock.schedule.warnings import find_warnings
from tests.schedule.writing import schedule

AT = datetime(2026, 1, 1, tzinfo=UTC)


def warned(folder: Path, source: str) -> list[tuple[int, str]]:
    read = schedule(folder, "timezone('Europe/Berlin')\n" + source)
    return [(warning.line, warning.message) for warning in find_warnings(read, AT)]


def test_a_time_that_a_clock_change_skips_and_repeats_is_warned_of(tmp_path: Path) -> None:
    assert warned(tmp_path, "every('day', 'tasks.a', at='02:30')") == [
        (
            3,
            "'tasks.a' meets a clock change: on 2026-03-29 02:30 does not exist: "
            "fires at 03:00+02:00 instead; write another time, or gap= to decide it",
        ),
        (
            3,
            "'tasks.a' meets a clock change: on 2026-10-25 02:30 comes twice: "
            "fires once, at 02:30+02:00; write another time, or fold= to decide it",
        ),
    ]


@pytest.mark.parametrize(
    "source",
    [
        "every('day', 'tasks.a', at='02:30', gap='skip', fold='both')",
        "every('day', 'tasks.a', at='02:30', enabled=False)",
        "every('hour', 'tasks.a')",
        "every(cron('*/15 2 * * *'), 'tasks.a')",
        "every('day', 'tasks.a', at='09:30')",
        "every('month', 'tasks.a', on='last')",
        "every('month', 'tasks.a', on=28)",
        "every('year', 'tasks.a', on='31 january')",
        "every('10 seconds', 'tasks.a', expires='10s')",
        "every('minute', 'tasks.a')",
        "every('day', 'tasks.a', args=[1], name='a')\nevery('day', 'tasks.a', args=[2], name='b')",
        "every('day', 'tasks.a', name='a')\nevery('hour', 'tasks.a', name='b')",
        "every('day', 'tasks.a', name='a')\nevery('day', 'tasks.a', queue='io', name='b')",
    ],
)
def test_what_is_decided_or_harmless_is_not_warned_of(tmp_path: Path, source: str) -> None:
    assert warned(tmp_path, source) == []


@pytest.mark.parametrize(
    ("source", "day"),
    [
        ("every('month', 'tasks.a', on=31)", 31),
        ("every('month', 'tasks.a', on=29)", 29),
        ("every(cron('0 9 30 * *'), 'tasks.a')", 30),
        ("every(cron('0 9 31 * *') - cron('0 9 31 1 *'), 'tasks.a')", 31),
    ],
)
def test_a_day_that_some_months_do_not_have_is_warned_of(
    tmp_path: Path, source: str, day: int
) -> None:
    assert warned(tmp_path, source)[0] == (
        3,
        f"'tasks.a' skips every month without a day {day}; "
        "write on='last', or 'L' in cron, for the last day of the month",
    )


@pytest.mark.parametrize("period", ["'10 seconds'", "cron('*/10 * * * * *', seconds='first')"])
def test_more_than_once_a_minute_without_expires_is_warned_of(tmp_path: Path, period: str) -> None:
    assert warned(tmp_path, f"every({period}, 'tasks.a')") == [
        (
            3,
            "'tasks.a' fires every 10 seconds and its jobs never expire, so they pile up while "
            "no worker runs; write expires='10s'",
        )
    ]


def test_two_events_that_differ_only_by_name_are_warned_of(tmp_path: Path) -> None:
    source = (
        "every('day', 'tasks.a', kwargs={'x': [1]})\n"
        "every('day', 'tasks.a', kwargs={'x': [1]}, name='again')"
    )
    assert warned(tmp_path, source) == [
        (
            4,
            f"'again' differs from 'tasks.a' ({tmp_path / 'main.py'}:3) only by its name, "
            "so the same work is done twice; drop one, or give it other arguments",
        )
    ]


def test_days_that_cron_joins_by_or_are_warned_of(tmp_path: Path) -> None:
    assert warned(tmp_path, "every('0 1 1-7 * sun', 'tasks.a')") == [
        (
            3,
            "'tasks.a' fires on days of the month and on weekdays: cron joins the two by 'or'; "
            "for a weekday of one week write it like 'sun#1'",
        )
    ]
    assert warned(tmp_path, "every('0 1 */2 * sun', 'tasks.a')") == []


@pytest.mark.parametrize(
    ("period", "instead"),
    [
        ("6 hours", "every('6 hours', at='**:00')"),
        ("24 hours", "every('day')"),
        ("48 hours", "every('2 days')"),
    ],
)
def test_hours_that_fall_on_others_in_summer_are_warned_of(
    tmp_path: Path, period: str, instead: str
) -> None:
    assert warned(tmp_path, f"every({period!r}, 'tasks.a')") == [
        (
            3,
            f"'tasks.a' counts {period} of real time, so from 2026-03-29 on it falls on other "
            f"local times, 1 h later; write {instead} to keep them",
        )
    ]
    assert warned(tmp_path, f"every({period!r}, 'tasks.a', tz='Asia/Tokyo')") == []
