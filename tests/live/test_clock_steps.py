"""The wall clock of the clock process is set, an hour forward or back, while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from redis import Redis

from tests.live.clock_process import logged_at
from tests.live.conftest import StartClock, WriteSchedule
from tests.live.jobs import scheduled
from tests.live.server import Server
from tests.live.waiting import wait_for, wait_until

LIBRARIES = sorted(Path("/usr").glob("lib*/*/faketime/libfaketime.so.1"))

pytestmark = pytest.mark.skipif(
    not LIBRARIES, reason="libfaketime is not installed; on Debian: apt install faketime"
)

HOUR, PERIOD = 3600, 2

SetClock = Callable[[int], None]


@pytest.fixture
def set_clock(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Set the wall clock of what is started from now on, in seconds from the right time; the
    server, which runs already, keeps the right time.
    """
    file = tmp_path / "faketime"

    def to(offset: int) -> None:
        # In one step: a file that is read half written would be another time.
        written = file.with_suffix(".new")
        written.write_text(f"{offset:+d}\n")
        written.rename(file)

    to(0)
    for name, value in {
        "LD_PRELOAD": str(LIBRARIES[0]),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DISABLE_SHM": "1",
    }.items():
        monkeypatch.setenv(name, value)
    return to


@pytest.fixture
def schedule(write_schedule: WriteSchedule) -> Path:
    return write_schedule(f"every('{PERIOD} seconds', 'tasks.x', catch_up={2 * HOUR})")


def test_set_forward_by_an_hour_every_occurrence_of_the_hour_fires_once(
    redis: Redis, schedule: Path, start_clock: StartClock, set_clock: SetClock
) -> None:
    clock = start_clock(schedule)
    clock.wait_for_line("enqueued")
    set_clock(HOUR)
    then = int(time.time()) + HOUR
    _wait_for_fires(redis, later_than=then + PERIOD)
    assert clock.stop() == 0
    _fired_each_once(redis)
    assert len(scheduled(redis, "tasks.x")) > HOUR // PERIOD


def test_set_back_by_an_hour_and_right_again_nothing_fires_twice_and_nothing_is_lost(
    redis: Redis, schedule: Path, start_clock: StartClock, set_clock: SetClock
) -> None:
    clock = start_clock(schedule)
    clock.wait_for_line("enqueued")
    set_clock(-HOUR)
    begin = time.time()
    # One more starts in the wrong hour, as after a crash.
    other = start_clock(schedule)
    assert logged_at(other.wait_for_line("started")) < begin - HOUR / 2
    wait_until(begin + 3 * PERIOD)
    before = scheduled(redis, "tasks.x")
    assert before[-1] <= begin + 1

    set_clock(0)
    _wait_for_fires(redis, later_than=int(time.time()) + PERIOD)
    assert (clock.stop(), other.stop()) == (0, 0)
    _fired_each_once(redis)
    # Both say so of different occurrences; together of each one.
    said = [datetime.fromisoformat(at) for _, at in clock.enqueued() + other.enqueued()]
    assert sorted(round(at.timestamp()) for at in said) == scheduled(redis, "tasks.x")


def test_set_forward_and_back_an_hour_nothing_fires_twice_and_nothing_is_lost(
    redis: Redis, schedule: Path, start_clock: StartClock, set_clock: SetClock
) -> None:
    clock = start_clock(schedule)
    clock.wait_for_line("enqueued")
    set_clock(HOUR)
    then = int(time.time()) + HOUR
    _wait_for_fires(redis, later_than=then)
    set_clock(0)
    begin = time.time()
    wait_until(begin + 2 * PERIOD)
    # The hour is decided already; only what comes behind it fires.
    known = len(scheduled(redis, "tasks.x"))
    wait_until(begin + 4 * PERIOD)
    assert len(scheduled(redis, "tasks.x")) == known
    set_clock(HOUR + 60)
    _wait_for_fires(redis, later_than=then + 60)
    assert clock.stop() == 0
    _fired_each_once(redis)


def _wait_for_fires(redis: Redis, *, later_than: int) -> None:
    wait_for(
        "it fires", lambda: scheduled(redis, "tasks.x")[-1:] > [later_than], within=30, pause=0.3
    )


def _fired_each_once(redis: Redis) -> None:
    """Every occurrence from the first to the last is on the queue, once and in order."""
    found = scheduled(redis, "tasks.x")
    assert found == list(range(found[0], found[-1] + 1, PERIOD))
