"""Importing a file of ``rq cron``: the same times as croniter, and each job is accounted for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter

from clock.errors import ScheduleError
from clock.importing.imported import Imported
from clock.importing.rq_cron import read_rq_cron
from clock.importing.schedule_text import schedule_text
from tests.importing.rq_crons import BILLING, FEEDS, SHOP
from tests.importing.written import a_year_of, events_of

TEXTS = {"shop": SHOP, "feeds": FEEDS, "billing": BILLING}
CHANGES = {datetime(2026, 3, 29).date(), datetime(2026, 10, 25).date()}  # noqa: DTZ001
"""The days on which Berlin's clocks change; croniter knows no clock changes."""


def imported(name: str, folder: Path, zone: str = "Europe/Berlin") -> Imported:
    file = folder / f"{name}.py"
    file.write_text(TEXTS[name])
    return read_rq_cron(str(file), zone=zone)


def croniters_year(text: str, zone: str) -> list[datetime]:
    """What rq cron computes: the next local time, as an instant in the zone of the process."""
    place, times = ZoneInfo(zone), croniter(text, datetime(2025, 12, 31))  # noqa: DTZ001
    instants: list[datetime] = []
    while True:
        instant = times.get_next(datetime).replace(tzinfo=place).astimezone(UTC)
        if instant >= datetime(2026, 12, 31, tzinfo=UTC):
            return instants
        if instant >= datetime(2026, 1, 2, tzinfo=UTC):
            instants.append(instant)


TIMES = {
    "shop": {"nightly": "0 3 * * *", "shutil.disk_usage": "30 6 * * 1-5"},
    "feeds": {
        "feed of news": "0/15 8-18 * * mon-fri",
        "feed of blogs": "1/15 8-18 * * mon-fri",
        "json.dumps": "0 12 */2 * fri",
    },
    "billing": {
        "json.loads": "0 1 L * *",
        "json.loads 2": "15 6 * * L5",
        "json.loads 3": "0 */6 1,15 * *",
        "json.loads 4": "0 9 * * * 30",
    },
}


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
@pytest.mark.parametrize("name", TIMES)
def test_a_year_of_each_job_is_that_of_croniter(name: str, zone: str, tmp_path: Path) -> None:
    events = events_of(imported(name, tmp_path, zone), tmp_path)
    for event, text in TIMES[name].items():
        expected, own = croniters_year(text, zone), a_year_of(events[event])
        assert len(expected) > 3
        if zone == "UTC":
            assert own == expected, text
        else:
            place = ZoneInfo(zone)
            assert [at for at in own if at.astimezone(place).date() not in CHANGES] == [
                at for at in expected if at.astimezone(place).date() not in CHANGES
            ], text


def test_an_interval_is_elapsed_time(tmp_path: Path) -> None:
    event = events_of(imported("shop", tmp_path), tmp_path)["time.time"]
    times = a_year_of(event)
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(minutes=5)}


def test_the_options_of_a_job_are_written(tmp_path: Path) -> None:
    text, left_out = schedule_text(imported("shop", tmp_path))
    assert left_out == []
    assert text.splitlines()[4:] == [
        'every(300, "time.time", queue="default")',
        'every("0 3 * * *", "shutil.get_terminal_size", name="nightly", queue="low", timeout=600)',
        'every("30 6 * * 1-5", "shutil.disk_usage", queue="low", args=[\'/srv\'], expires=3600, '
        "result_ttl=60)",
    ]


def test_what_has_no_counterpart_is_reported_with_its_line(tmp_path: Path) -> None:
    for name, lines in {"feeds": [14, 16], "billing": [9, 10, 11]}.items():
        _, left_out = schedule_text(imported(name, tmp_path))
        assert [item.source for item in left_out] == [f"{tmp_path}/{name}.py:{n}" for n in lines]
    feeds = [item.message for item in imported("feeds", tmp_path).left_out]
    assert feeds[0] == "a lambda has no name that a worker could import; give it one with def"
    assert feeds[1].startswith("args: [<object object at")
    assert feeds[1].endswith("cannot be written in a file")


def test_a_file_that_cannot_be_run_is_an_error_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("from rq.cron import register\n\nregister(shop.close, 'default', interval=1)\n")
    with pytest.raises(ScheduleError, match=r"broken.py:3: NameError: name 'shop' is not defined"):
        read_rq_cron(str(file), zone="UTC")
