"""Importing what rq-scheduler keeps: the times of the package it asks, and all is accounted for."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis import Redis

from clock.importing.imported import Imported
from clock.importing.rq_scheduler import read_rq_scheduler
from clock.importing.schedule_text import schedule_text
from tests.cli.command import Clock
from tests.importing.rivals import crontabs_year, needs_rivals, run_rival
from tests.importing.written import a_year_of, events_of

pytestmark = needs_rivals

_BEGIN = """
import json, shutil, sys, textwrap, time
from datetime import datetime
from redis import Redis
from rq_scheduler import Scheduler
scheduler = Scheduler(connection=Redis.from_url(json.load(sys.stdin)))
at = datetime(2027, 1, 1, 0, 0, 30)
"""
SHOP = """
scheduler.schedule(at, time.time, interval=300, id="a")
scheduler.cron("0 3 * * *", shutil.disk_usage, args=["/srv"], queue_name="low", timeout=600, id="b")
scheduler.cron("*/20 9-17 * * mon-fri", json.dumps, kwargs={"obj": 1}, meta={"team": "x"}, id="c")
"""
FEEDS = """
scheduler.cron("5/15 8-18 * * *", json.loads, args=["1"], id="a")
scheduler.cron("0 12 1-7 * fri", json.dumps, args=["2"], id="b")
scheduler.cron("0 6 */2 * sat,sun", textwrap.dedent, args=["3"], ttl=3600, id="c")
scheduler.schedule(at, time.time, interval=60, repeat=10, id="d")
scheduler.enqueue_at(at, time.time, job_id="e")
"""
BILLING = """
scheduler.cron("30 0 9 * * mon *", json.loads, args=["1"], id="a")
scheduler.cron("0 1 L * *", json.dumps, args=["2"], id="b")
scheduler.cron("15 6 * * L5", textwrap.dedent, args=["3"], id="c")
scheduler.cron("0 9 * * * 2026-2040", json.loads, args=["4"], id="d")
scheduler.cron("0 9 20-31 * L5", json.loads, args=["5"], id="e")
scheduler.cron("0 9 1 * *", json.loads, args=["6"], id="f")
scheduler.connection.delete("rq:job:f")
"""
PROGRAMS = {"shop": SHOP, "feeds": FEEDS, "billing": BILLING}
TIMES = {
    "shop": {"shutil.disk_usage": "0 3 * * *", "json.dumps": "*/20 9-17 * * mon-fri"},
    "feeds": {
        "json.loads": "5/15 8-18 * * *",
        "json.dumps": "0 12 1-7 * fri",
        "textwrap.dedent": "0 6 */2 * sat,sun",
    },
    "billing": {
        "json.loads": "30 0 9 * * mon *",
        "json.dumps": "0 1 L * *",
        "textwrap.dedent": "15 6 * * L5",
    },
}


def imported(name: str, redis: Redis, url: str) -> Imported:
    run_rival(_BEGIN + PROGRAMS[name], url)
    return read_rq_scheduler(redis, zone="UTC", serializer="pickle")


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_year_of_each_job_is_that_of_the_package_crontab(
    name: str, redis: Redis, server_url: str, tmp_path: Path
) -> None:
    events = events_of(imported(name, redis, server_url), tmp_path)
    for event, text in TIMES[name].items():
        expected = crontabs_year(text)
        assert len(expected) > 3
        assert a_year_of(events[event]) == expected, text


def test_an_interval_keeps_its_phase(redis: Redis, server_url: str, tmp_path: Path) -> None:
    event = events_of(imported("shop", redis, server_url), tmp_path)["time.time"]
    due = datetime(2027, 1, 1, 0, 0, 30, tzinfo=UTC)
    assert next(event.occurrences(datetime(2027, 1, 1, tzinfo=UTC))) == due


def test_what_has_no_counterpart_is_reported(redis: Redis, server_url: str) -> None:
    _, left_out = schedule_text(imported("feeds", redis, server_url))
    assert sorted(map(str, left_out)) == [
        "d: time.time: repeat=10 has no counterpart; see until=",
        "e: time.time runs once, at 2027-01-01T00:00Z; enqueue it with at=",
    ]
    redis.flushall()
    _, left_out = schedule_text(imported("billing", redis, server_url))
    assert sorted(item.source for item in left_out) == ["d", "e", "f"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_written_passes_the_check_and_nothing_is_changed(
    name: str, redis: Redis, server_url: str, clock: Clock, tmp_path: Path
) -> None:
    imported(name, redis, server_url)
    before = {key: redis.dump(key) for key in redis.scan_iter()}
    code, out, err = clock("import", "rq-scheduler", "--url", server_url)
    assert (code, bool(err)) == ((0, False) if name == "shop" else (1, True))
    assert {key: redis.dump(key) for key in redis.scan_iter()} == before
    (tmp_path / "written.py").write_text(out)
    code, out, _ = clock("check", str(tmp_path / "written.py"))
    assert (code, out.endswith("no mistakes\n")) == (0, True)
