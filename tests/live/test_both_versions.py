"""A clock of 0.1.0 and one of this code at once, as during the deploy of an upgrade."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis import Redis

from clock import Schedule, keys, load
from clock.ledger.descriptions import read_descriptions
from clock.ledger.records import read_record
from clock.recurrence.recurrence import between
from tests.live.clock_process import ClockProcess
from tests.live.conftest import StartClock
from tests.live.first_release import enrol_with_first_release, unpack_first_release
from tests.live.jobs import fired, job_hashes, scheduled
from tests.live.server import Server
from tests.live.waiting import wait_for

APP = "clock"

BEFORE = 200
"""Seconds before the clocks start at which the ledger stands: three minutes of cron to make up."""

SCHEDULE = """\
from datetime import date

from clock import cron, defaults, every, period, timezone

timezone("UTC")
defaults(catch_up="all")

every("1 second", "tasks.x", name="seconds")
every("2 seconds", "tasks.x", name="options", args=[1], kwargs={{"word": "\\u00fc"}}, queue="slow",
      retry=2, timeout="5m", meta={{"team": "a"}})
every("3 seconds", "tasks.x", name="latest", catch_up="latest")
every(cron("* * * * *"), "tasks.x", name="cron")
every("day", "tasks.x", name="calendar", at={times!r})
every(period("7 seconds") | cron("*/2 * * * *"), "tasks.x", name="either")
every(period("5 seconds") - cron("* * * * *"), "tasks.x", name="seldom")
every("month", "tasks.x", name="closing", on="last friday", at="23:30", start=date(2026, 1, 2))
every("day", "tasks.x", name="night", at="02:30", spread="10m", tz="Europe/Berlin")
every(cron("*/15 9-18 * * mon-fri") - {{date(2026, 12, 24)}}, "tasks.x", name="office",
      gap="skip", fold="both", tz="America/New_York")
every("weekday", "tasks.x", name="off", enabled=False)
"""


@pytest.fixture
def old(tmp_path: Path) -> Mapping[str, str]:
    """The environment of a clock of 0.1.0."""
    return unpack_first_release(tmp_path / "0.1.0")


@pytest.fixture
def since() -> int:
    """The instant at which the ledger stands when the clocks start, in UTC seconds since 1970."""
    return int(time.time()) - BEFORE


@pytest.fixture
def file(tmp_path: Path, since: int) -> Path:
    """The schedule file. Its calendar event occurs before the clocks start, and while they run."""
    soon = (since + BEFORE + offset for offset in (-100, -10, 4, 6, 8, 10, 12))
    times = [f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}" for at in soon]
    file = tmp_path / "schedule.py"
    file.write_text(SCHEDULE.format(times=times))
    return file


@pytest.mark.long
def test_clocks_of_0_1_0_and_of_this_code_share_a_ledger_and_survive_kills(
    redis: Redis,
    server: Server,
    old: Mapping[str, str],
    since: int,
    file: Path,
    start_clock: StartClock,
) -> None:
    enrol_with_first_release(old, file, server.url, since)
    identities = redis.hgetall(keys.recurrences(APP))
    one, two = start_clock(file, **old), start_clock(file)
    _wait_for_claims(redis, one, two)
    begun = _since(redis)
    one.kill()
    _wait_for_claims(redis, two)
    three = start_clock(file, **old)
    _wait_for_claims(redis, two, three)
    two.kill()
    _wait_for_claims(redis, three)
    four = start_clock(file)
    _wait_for_claims(redis, three, four)
    assert [clock.stop() for clock in (three, four)] == [0, 0]

    clocks = [one, two, three, four]
    schedule = load(file)
    assert redis.hgetall(keys.recurrences(APP)) == identities
    assert _since(redis) == begun
    assert set(begun) == set(schedule.events)
    assert {(line["msg"], line["event"]) for clock in clocks for line in clock.troubles()} <= {
        ("missed", "latest")
    }
    _assert_all_is_decided_once(redis, schedule, since)
    _assert_logged_at_most_once(redis, clocks)
    assert two.enqueued()
    assert three.enqueued()


def _wait_for_claims(redis: Redis, *clocks: ClockProcess) -> None:
    """Wait until the ``clocks`` run, nothing is left to make up, and they decided twice more."""
    for clock in clocks:
        clock.wait_for_line("started")
    now = time.time()
    wait_for("two more occurrences", lambda: read_record(redis, APP, "seconds").decided >= now + 2)


def _since(redis: Redis) -> dict[str, object]:
    """Since when each event has had its recurrence."""
    return {name: description.since for name, description in read_descriptions(redis, APP).items()}


def _assert_all_is_decided_once(redis: Redis, schedule: Schedule, since: int) -> None:
    end = read_record(redis, APP, "seconds").decided - 2
    due_in_all = 0
    for name, event in schedule.events.items():
        record, jobs = read_record(redis, APP, name), fired(redis, name)
        due = list(between(event.recurrence, since, max(end, record.decided)))
        if not event.enabled:
            due = []
        due_in_all += len(due)
        assert sum(record.counters.values()) == len(due), name
        assert len(jobs) == record.counters["fired"], name
        instants = scheduled(redis, name)
        assert instants == (due if name != "latest" else sorted(set(instants) & set(due))), name
        assert [job.previous for job in jobs] == [None, *instants][: len(jobs)], name
    assert due_in_all > BEFORE * 1.5
    assert len(scheduled(redis, "cron")) >= 3
    assert len(scheduled(redis, "calendar")) >= 5
    ids = Counter(job.job_id for job in fired(redis))
    assert set(ids.values()) == {1}
    assert set(ids) == job_hashes(redis)


def _assert_logged_at_most_once(redis: Redis, clocks: list[ClockProcess]) -> None:
    logged = Counter(line for clock in clocks for line in clock.enqueued())
    jobs = {(job.event, _text(job.scheduled)) for job in fired(redis)}
    assert set(logged.values()) == {1}
    assert set(logged) <= jobs


def _text(instant: int) -> str:
    return f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%dT%H:%M:%SZ}"
