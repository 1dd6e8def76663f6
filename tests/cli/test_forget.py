"""``clock forget``: a file that ran once no longer counts as one without a clock."""

from __future__ import annotations

import time

import pytest
from redis import Redis

from clock import Schedule
from clock.ledger.records import read_decided
from clock.observe.reading import read_status
from tests.cli.command import Clock
from tests.conftest import ReadSchedule
from tests.loop.heartbeat import START, Watched


@pytest.fixture
def ran_once(redis: Redis, read: ReadSchedule) -> Schedule:
    """The schedule ``trial.py``, whose clock has been gone for minutes."""
    schedule = read("every('day', 'tasks.y')", "every('hour', 'tasks.z')")
    trial = Schedule(path="trial.py", zone=schedule.zone, events=schedule.events)
    Watched(redis, trial, now=time.time() - 300, token="h:2:x").turn([time.time() - START - 300])
    return trial


def test_its_events_are_removed_and_their_records_stay(
    clock: Clock, ran_once: Schedule, redis: Redis, server_url: str
) -> None:
    words = ("--url", server_url, "--app", "test")
    assert "no clock is alive" in clock("status", *words)[2]
    assert clock("forget", "trial.py", *words) == (
        0,
        "trial.py is forgotten: tasks.y, tasks.z\n",
        "",
    )
    status = read_status(redis, "test", time.time())
    assert (status.missing, [event.name for event in status.removed]) == (
        (),
        ["tasks.y", "tasks.z"],
    )
    assert sorted(read_decided(redis, "test")) == ["tasks.y", "tasks.z"]


def test_a_clock_that_runs_the_file_again_brings_them_back(
    clock: Clock, ran_once: Schedule, redis: Redis, server_url: str
) -> None:
    clock("forget", "trial.py", "--url", server_url, "--app", "test")
    Watched(redis, ran_once, now=time.time(), token="h:3:x").turn([time.time() - START])
    events = read_status(redis, "test", time.time()).events
    assert [event.name for event in events] == ["tasks.y", "tasks.z"]


def test_a_file_whose_clock_is_alive_is_refused(
    clock: Clock, redis: Redis, read: ReadSchedule, server_url: str
) -> None:
    schedule = read("every('day', 'tasks.y')")
    trial = Schedule(path="trial.py", zone=schedule.zone, events=schedule.events)
    Watched(redis, trial, now=time.time(), token="h:2:x").turn([time.time() - START])
    code, out, err = clock("forget", "trial.py", "--url", server_url, "--app", "test")
    assert (code, out) == (3, "")
    assert err == "clock: a clock of trial.py is alive; stop it first\n"


def test_an_unknown_file_is_refused_with_a_suggestion(
    clock: Clock, ran_once: Schedule, server_url: str
) -> None:
    code, out, err = clock("forget", "trail.py", "--url", server_url, "--app", "test")
    assert (code, out) == (2, "")
    assert err == (
        "clock: no event of 'test' is of a schedule file 'trail.py'; did you mean 'trial.py'?\n"
    )
