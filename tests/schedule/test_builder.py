"""What a file says of all its events: zone, defaults, names."""

from __future__ import annotations

import gc
import tracemalloc
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from tests.schedule.writing import HEADER, event, refusal, schedule

DAILY = "every('day', 'tasks.a')\n"


@pytest.fixture(autouse=True)
def _no_zone_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLOCK_TZ", raising=False)
    monkeypatch.delenv("TZ", raising=False)


def test_the_zone_of_an_event_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOCK_TZ", "Europe/Paris")
    source = "timezone('Asia/Tokyo')\nevery('day', 'tasks.a', tz='Europe/Berlin')"
    assert event(tmp_path, source).zone.name == "Europe/Berlin"


def test_then_the_zone_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOCK_TZ", "Europe/Paris")
    assert event(tmp_path, "timezone('Asia/Tokyo')\n" + DAILY).zone.name == "Asia/Tokyo"


def test_then_clock_tz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOCK_TZ", "Europe/Paris")
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    assert event(tmp_path, DAILY).zone.name == "Europe/Paris"


@pytest.mark.parametrize("value", ["Asia/Kolkata", ":Asia/Kolkata"])
def test_then_tz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TZ", value)
    assert event(tmp_path, DAILY).zone.name == "Asia/Kolkata"


def test_then_utc(tmp_path: Path) -> None:
    result = schedule(tmp_path, DAILY)
    assert result.events["tasks.a"].zone.name == "UTC"
    assert result.zone.name == "UTC"


def test_the_zone_may_stand_below_the_events(tmp_path: Path) -> None:
    assert event(tmp_path, DAILY + "timezone('Asia/Tokyo')").zone.name == "Asia/Tokyo"


def test_an_unknown_zone_from_outside_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOCK_TZ", "Berlin")
    error = refusal(tmp_path, DAILY)
    assert (error.line, error.message) == (
        None,
        "CLOCK_TZ: unknown zone 'Berlin'; did you mean 'Europe/Berlin'?",
    )


@pytest.mark.parametrize("tz", ["zoneinfo.ZoneInfo('Asia/Tokyo')", "pytz.timezone('Asia/Tokyo')"])
def test_a_zone_may_be_given_as_an_object(tmp_path: Path, tz: str) -> None:
    source = f"import pytz, zoneinfo\nevery('day', 'tasks.a', tz={tz})"
    assert event(tmp_path, source).zone.name == "Asia/Tokyo"


def test_an_imported_file_has_the_zone_and_defaults_of_the_main_file(tmp_path: Path) -> None:
    (tmp_path / "feeds.py").write_text(HEADER + DAILY)
    source = "timezone('Asia/Tokyo')\ndefaults(queue='low')\nimport feeds"
    (only,) = schedule(tmp_path, source).events.values()
    assert (only.zone.name, only.job.queue) == ("Asia/Tokyo", "low")


def test_the_zone_and_defaults_of_an_imported_file_are_its_own(tmp_path: Path) -> None:
    (tmp_path / "feeds.py").write_text(
        HEADER + "timezone('Europe/Berlin')\ndefaults(queue='io')\nevery('day', 'tasks.feeds')"
    )
    source = f"defaults(queue='low', timeout=60)\nimport feeds\n{DAILY}"
    events = schedule(tmp_path, source).events
    feeds, main = events["tasks.feeds"], events["tasks.a"]
    assert (feeds.zone.name, feeds.job.queue, feeds.job.timeout) == ("Europe/Berlin", "io", 60)
    assert (main.zone.name, main.job.queue) == ("UTC", "low")


def test_an_event_overrides_the_defaults(tmp_path: Path) -> None:
    source = "defaults(queue='low', retry=3)\nevery('day', 'tasks.a', queue='high')"
    only = event(tmp_path, source)
    assert only.job.queue == "high"
    assert only.job.retry is not None
    assert only.job.retry.max == 3


def test_gap_and_fold_hold_for_a_file_and_an_event_overrides_them(tmp_path: Path) -> None:
    source = (
        "timezone('Europe/Berlin')\ndefaults(gap='skip', fold='both')\n"
        "every('day', 'tasks.a', at='02:30')\n"
        "every('day', 'tasks.b', at='02:30', gap='shift', fold='second')"
    )
    events = schedule(tmp_path, source).events
    assert events["tasks.a"].rule == "day at 02:30 gap=skip fold=both"
    assert events["tasks.b"].rule == "day at 02:30 gap=shift fold=second"


def test_the_name_of_an_event_is_its_task(tmp_path: Path) -> None:
    assert event(tmp_path, "import json\nevery('day', json.dumps)").name == "json.dumps"


def test_a_name_that_is_taken_is_refused_with_both_places(tmp_path: Path) -> None:
    error = refusal(tmp_path, DAILY + DAILY)
    assert (error.line, error.message) == (
        3,
        f"the name 'tasks.a' is taken by {tmp_path / 'main.py'}:2; "
        "names are unique, so write name='tasks.a 2' here",
    )


def test_a_name_is_proposed_that_is_free(tmp_path: Path) -> None:
    error = refusal(tmp_path, DAILY + "every('monday', 'tasks.a', at='9am')")
    assert error.message.endswith("so write name='tasks.a (monday at 09:00)' here")
    numbered = DAILY + "every('day', 'tasks.b', name='tasks.a 2')\n"
    assert "name='tasks.a 3'" in refusal(tmp_path, numbered + DAILY).message


def test_two_events_of_one_task_need_a_name(tmp_path: Path) -> None:
    result = schedule(tmp_path, DAILY + "every('hour', 'tasks.a', name='often')")
    assert list(result.events) == ["tasks.a", "often"]


def test_equal_recurrences_are_one_object(tmp_path: Path) -> None:
    source = "every('day', 'tasks.a', at='09:30')\nevery('1 day', 'tasks.b', at='09:30')"
    first, second = schedule(tmp_path, source).events.values()
    assert first.recurrence is second.recurrence


def test_gap_and_fold_do_what_they_say_in_every_value(tmp_path: Path) -> None:
    values = [
        (gap, fold) for gap in ("after", "shift", "skip") for fold in ("first", "second", "both")
    ]
    source = "timezone('Europe/Berlin')\n" + "".join(
        f"every('day', 'tasks.a', at='02:30', gap={gap!r}, fold={fold!r}, name='{gap} {fold}')\n"
        for gap, fold in values
    )
    events = schedule(tmp_path, source).events
    spring = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC)
    autumn = datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC)
    in_spring = {"after": ["01:00"], "shift": ["01:30"], "skip": []}
    in_autumn = {"first": ["00:30"], "second": ["01:30"], "both": ["00:30", "01:30"]}
    for gap, fold in values:
        result = events[f"{gap} {fold}"]
        assert [f"{time:%H:%M}" for time in result.occurrences(*spring)] == in_spring[gap]
        assert [f"{time:%H:%M}" for time in result.occurrences(*autumn)] == in_autumn[fold]


def test_bounds_are_in_the_zone_of_the_event(tmp_path: Path) -> None:
    source = "every('day', 'tasks.a', start='2026-01-02', until='2026-01-03', tz='Asia/Tokyo')"
    only = event(tmp_path, source)
    assert only.rule == "day starting 2026-01-02 until 2026-01-03"
    assert [f"{time:%d %H}" for time in only.occurrences(datetime(2026, 1, 1, tzinfo=UTC))] == [
        "01 15",
        "02 15",
    ]


def test_bounds_may_be_aware_datetimes_and_texts(tmp_path: Path) -> None:
    source = (
        "from datetime import UTC, datetime\n"
        "every('day', 'tasks.a', start=datetime(2026, 1, 2, tzinfo=UTC),\n"
        "      until='2026-01-03T09:00:00+09:00')"
    )
    only = event(tmp_path, source)
    assert [f"{time:%d %H}" for time in only.occurrences(datetime(2026, 1, 1, tzinfo=UTC))] == [
        "02 00",
        "03 00",
    ]


def test_a_spread_moves_each_event_by_its_own_offset(tmp_path: Path) -> None:
    source = (
        "defaults(spread='10m')\nevery('day', 'tasks.a', at='09:30')\n"
        "every('day', 'tasks.b', at='09:30')"
    )
    first, second = schedule(tmp_path, source).events.values()
    assert first.rule == "day at 09:30 spread 10 minutes (+289 seconds)"
    assert second.rule == "day at 09:30 spread 10 minutes (+52 seconds)"
    assert first.identity() != second.identity()


def test_a_stream_of_the_schedule_file_is_an_event(tmp_path: Path) -> None:
    source = (
        "from datetime import UTC, datetime, timedelta\n"
        "def moons():\n"
        "    at = datetime(2026, 1, 3, 10, 3, tzinfo=UTC)\n"
        "    while True:\n"
        "        yield at\n"
        "        at += timedelta(days=29.53)\n"
        "every(times(moons) - {datetime(2026, 2, 1).date()}, 'tasks.moon')"
    )
    only = event(tmp_path, source)
    assert only.rule == "times moons() - {2026-02-01}"
    result = islice(only.occurrences(datetime(2026, 1, 1, tzinfo=UTC)), 2)
    assert [f"{time:%m-%d %H:%M}" for time in result] == ["01-03 10:03", "03-03 11:29"]


def test_events_with_one_recurrence_keep_their_own_spelling(tmp_path: Path) -> None:
    result = schedule(
        tmp_path,
        "from datetime import datetime\n"
        "one = datetime.fromisoformat('2026-11-21T09:00:00+01:00')\n"
        "other = datetime.fromisoformat('2026-11-21T08:00:00+00:00')\n"
        "every('3 hours', 'tasks.x', name='one', anchor=one)\n"
        "every('3 hours', 'tasks.x', name='other', anchor=other)\n",
    )
    assert result.events["one"].rule == "3 hours counted from 2026-11-21T09:00:00+01:00"
    assert result.events["other"].rule == "3 hours counted from 2026-11-21T08:00:00+00:00"


def test_loading_needs_little_more_memory_than_the_schedule_keeps(tmp_path: Path) -> None:
    text = (
        "for n in range(10_000):\n"
        "    every('day', 'tasks.x', name=f'event {n}', at=f'{n % 24:02}:00', queue='low')\n"
    )
    # The interpreter keeps up to 2,000 freed tuples of a size for reuse and gives them back in a
    # full collection, which the garbage of other tests may start in the middle of the reading.
    # So an equal reading fills that store first, and no collection empties it before the peak.
    gc.disable()
    try:
        schedule(tmp_path, text)
        tracemalloc.start()
        result = schedule(tmp_path, text)
        _, peak = tracemalloc.get_traced_memory()
        gc.collect()
        stays, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert len(result.events) == 10_000
    assert peak < 1.5 * stays, peak / stays
