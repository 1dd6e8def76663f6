"""Importing ``beat_schedule``: the times of Celery's crontab, and each entry is accounted for."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from clock import load
from tests.cli.command import Clock
from tests.importing.rivals import celerys_year, import_celery, needs_rivals
from tests.importing.written import a_year_of

pytestmark = needs_rivals

SHOP = """
from datetime import timedelta
from celery import Celery
from celery.schedules import crontab

app = Celery("shop")

@app.task
def sync(): ...

@app.task(name="reports.daily")
def report(*args): ...

app.conf.beat_schedule = {
    "sync": {"task": "shop.sync", "schedule": 300.0},
    "hourly sync": {"task": "shop.sync", "schedule": timedelta(hours=1)},
    "report": {"task": "reports.daily", "schedule": crontab(hour=7, minute=30), "args": (16, 2)},
    "monday": {
        "task": "reports.daily",
        "schedule": crontab(hour=7, minute=30, day_of_week="mon"),
        "kwargs": {"week": True},
        "options": {"queue": "low", "expires": 3600},
    },
}
"""
FEEDS = """
from celery import Celery
from celery.schedules import crontab, solar

app = Celery("feeds")
app.conf.timezone = "Asia/Tokyo"
sunset = solar.__new__(solar)  # calling the class needs another package
sunset.event = "sunset"

@app.task
def fetch(*args): ...

@app.on_after_configure.connect
def setup(sender, **kwargs):
    sender.add_periodic_task(crontab(minute="*/15", hour="8-18"), fetch.s("news"), name="news")
    sender.add_periodic_task(crontab(0, 6, day_of_week="mon-fri"), fetch.s("blogs"), name="blogs")
    sender.add_periodic_task(sunset, fetch.s("sun"), name="sun")
    sender.add_periodic_task(0.5, fetch.s("fast"), name="fast")
"""
BILLING = """
from celery import Celery
from celery.schedules import crontab

app = Celery("billing")

@app.task
def close(): ...

ENTRIES = {
    "first friday": crontab(0, 9, day_of_week="fri", day_of_month="1-7"),
    "quarter": crontab(minute=0, hour=0, day_of_month="1", month_of_year="*/3"),
    "lists": crontab(minute=[0, 20], hour={6, 18}, day_of_week="sat,sun"),
    "even": crontab(minute="5", hour="*/6", day_of_month="2-30/2"),
    "wrap": crontab(minute="0", hour="22-2", day_of_week="fri-mon"),
}
app.conf.beat_schedule = {
    name: {"task": "billing.close", "schedule": schedule} for name, schedule in ENTRIES.items()
}
app.conf.beat_schedule["quarter"]["options"] = {"priority": 5}
"""
APPS = {"shop": SHOP, "feeds": FEEDS, "billing": BILLING}
FIELDS: dict[str, dict[str, dict[str, object]]] = {
    "shop": {
        "report": {"hour": 7, "minute": 30},
        "monday": {"hour": 7, "minute": 30, "day_of_week": "mon"},
    },
    "billing": {
        "first friday": {"minute": 0, "hour": 9, "day_of_week": "fri", "day_of_month": "1-7"},
        "quarter": {"minute": 0, "hour": 0, "day_of_month": "1", "month_of_year": "*/3"},
        "lists": {"minute": [0, 20], "hour": [6, 18], "day_of_week": "sat,sun"},
        "even": {"minute": "5", "hour": "*/6", "day_of_month": "2-30/2"},
        "wrap": {"minute": "0", "hour": "22-2", "day_of_week": "fri-mon"},
    },
}
LEFT_OUT = {
    "shop": [],
    "feeds": ["beat_schedule['sun']", "beat_schedule['fast']"],
    "billing": ["beat_schedule['quarter']"],
}


def written(name: str, folder: Path) -> Path:
    (folder / f"{name}.py").write_text(APPS[name])
    code, out, err = import_celery(folder, f"{name}:app")
    assert code == (1 if LEFT_OUT[name] else 0), err
    assert [line.partition(":")[0] for line in err.splitlines()] == LEFT_OUT[name]
    (folder / "written.py").write_text(out)
    return folder / "written.py"


@pytest.mark.parametrize("name", FIELDS)
def test_a_year_of_each_entry_is_that_of_celerys_crontab(name: str, tmp_path: Path) -> None:
    events = load(written(name, tmp_path)).events
    for event, fields in FIELDS[name].items():
        expected = celerys_year(fields)
        assert len(expected) > 2
        assert a_year_of(events[event]) == expected, event


def test_the_zone_of_the_application_is_written(tmp_path: Path) -> None:
    events = load(written("feeds", tmp_path)).events
    assert list(events) == ["news", "blogs"]
    # 06:00 in Tokyo is 21:00 of the day before in UTC.
    assert {at.hour for at in a_year_of(events["blogs"])} == {21}


def test_intervals_and_options_are_written(tmp_path: Path) -> None:
    schedule = load(written("shop", tmp_path))
    times = a_year_of(schedule.events["sync"])
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(minutes=5)}
    monday = schedule.events["monday"]
    assert (monday.job.queue, monday.job.expires, monday.kwargs) == ("low", 3600, {"week": True})
    assert list(schedule.events["report"].args) == [16, 2]
    # The function by its own name, not the one that it has in Celery.
    assert schedule.events["report"].task == "shop.report"


@pytest.mark.parametrize("name", APPS)
def test_what_is_written_passes_the_check(name: str, tmp_path: Path, clock: Clock) -> None:
    file = written(name, tmp_path)
    # The tasks need Celery, which is not in this environment.
    code, out, _ = clock("check", str(file), "--no-import")
    assert (code, out.endswith("no mistakes\n")) == (0, True)


def test_what_is_not_an_application_is_a_usage_error(clock: Clock) -> None:
    code, out, err = clock("import", "celery", "json:nothing")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("clock: 'json:nothing' is not a Celery application")
