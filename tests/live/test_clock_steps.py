"""Hosts with a wrong wall clock: the server's time decides, and each occurrence fires on time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis

from benchmarks.faults.wall_clock import WallClock, libfaketime
from clock import keys
from tests.live.clock_process import ClockProcess
from tests.live.conftest import StartClock, WriteSchedule
from tests.live.faked_time import needs_libfaketime
from tests.live.jobs import fired, scheduled
from tests.live.waiting import wait_for

pytestmark = needs_libfaketime

DAY, HOUR = 86_400, 3600

TOLERANCE = 0.1
"""Seconds before its time at which an occurrence may be enqueued at the earliest."""

StartWrong = Callable[[int], tuple[ClockProcess, WallClock]]


@pytest.fixture
def start_wrong(start_clock: StartClock, schedule: Path, tmp_path: Path) -> StartWrong:
    """Start a clock whose host is so many seconds ahead of the right time, which the server has."""
    hosts: list[WallClock] = []

    def start(offset: int) -> tuple[ClockProcess, WallClock]:
        library = libfaketime()
        assert library is not None
        host = WallClock(library, tmp_path / f"host-{len(hosts)}")
        host.set(offset)
        hosts.append(host)
        return start_clock(schedule, **host.environment()), host

    return start


@pytest.fixture
def schedule(write_schedule: WriteSchedule) -> Path:
    return write_schedule("every('1 second', 'tasks.x')")


def test_a_host_that_was_400_days_ahead_for_some_seconds_loses_nothing(
    redis: Redis, start_wrong: StartWrong
) -> None:
    clock, host = start_wrong(400 * DAY)
    _wait_for_jobs(redis, 4)
    host.set(0)
    _wait_for_jobs(redis, 9)
    assert clock.stop() == 0
    _are_on_time_without_a_gap(redis)


@pytest.mark.parametrize("offset", [-DAY, -600, -3, 3, 600, DAY])
def test_a_host_with_a_wrong_clock_fires_nothing_early_and_blocks_no_other(
    offset: int, redis: Redis, start_wrong: StartWrong
) -> None:
    (wrong, _), (right, _) = start_wrong(offset), start_wrong(0)
    _wait_for_jobs(redis, 6)
    assert wrong.stop() == 0
    known = len(scheduled(redis, "tasks.x"))
    _wait_for_jobs(redis, known + 3)
    assert right.stop() == 0
    _are_on_time_without_a_gap(redis)
    (warning,) = wrong.lines("wall clock")
    assert warning["level"] == "warning"
    assert warning["offset"] == pytest.approx(offset, abs=0.5)
    assert right.lines("wall clock") == []


@pytest.mark.parametrize("step", [-HOUR, HOUR, 400 * DAY])
def test_a_wall_clock_that_is_set_while_it_runs_changes_nothing(
    step: int, redis: Redis, start_wrong: StartWrong
) -> None:
    clock, host = start_wrong(0)
    _wait_for_jobs(redis, 2)
    host.set(step)
    clock.wait_for_line("wall clock")
    _wait_for_jobs(redis, len(scheduled(redis, "tasks.x")) + 3)
    host.set(0)
    _wait_for_jobs(redis, len(scheduled(redis, "tasks.x")) + 3)
    assert clock.stop() == 0
    _are_on_time_without_a_gap(redis)


def test_the_log_says_how_late_by_the_servers_clock(redis: Redis, start_wrong: StartWrong) -> None:
    clock, _ = start_wrong(3)
    _wait_for_jobs(redis, 3)
    assert clock.stop() == 0
    assert all(0 <= line["lateness"] < 1 for line in clock.lines("enqueued"))


def test_expires_of_ten_seconds_works_on_a_host_twelve_seconds_behind(
    redis: Redis, write_schedule: WriteSchedule, start_wrong: StartWrong
) -> None:
    write_schedule("every('1 second', 'tasks.x', expires='10s')")
    clock, _ = start_wrong(-12)
    _wait_for_jobs(redis, 4)
    assert clock.stop() == 0
    assert len(clock.lines("enqueued")) == len(fired(redis))
    assert all(5_000 < redis.pttl(f"rq:job:{job.job_id}") <= 10_000 for job in fired(redis)[-1:])


def test_a_start_two_years_ahead_forgets_nothing_of_another_file(
    redis: Redis, start_wrong: StartWrong, start_clock: StartClock, tmp_path: Path
) -> None:
    other = tmp_path / "other.py"
    other.write_text("from clock import every\nevery('day', 'tasks.other', at='03:00')\n")
    first = start_clock(other)
    wait_for("it is described", lambda: redis.hexists(keys.descriptions("clock"), "tasks.other"))
    assert first.stop() == 0
    pause = '- {"reason": "the customer asked", "by": "eve", "since": 1800000000}'
    redis.hset(keys.pauses("clock"), "tasks.other", pause)

    clock, _ = start_wrong(2 * 366 * DAY)
    clock.wait_for_line("enqueued")
    wait_for("it is described", lambda: redis.hexists(keys.descriptions("clock"), "tasks.x"))
    assert clock.stop() == 0
    for key in (keys.pauses, keys.decided, keys.descriptions):
        assert redis.hexists(key("clock"), "tasks.other")


def _wait_for_jobs(redis: Redis, count: int) -> None:
    wait_for(f"{count} jobs", lambda: redis.llen("rq:queue:default") >= count, within=30)


def _are_on_time_without_a_gap(redis: Redis) -> None:
    """Every second from the first job to the last has its own, none before its time."""
    jobs = fired(redis, "tasks.x")
    scheduled = [job.scheduled for job in jobs]
    assert scheduled == list(range(scheduled[0], scheduled[-1] + 1))
    assert all(job.enqueued >= job.scheduled - TOLERANCE for job in jobs)
    assert abs(scheduled[-1] - time.time()) < 20
