"""A clock whose server is named by sentinels goes over to the new master.

Replication is asynchronous: what the old master took in the moment before it died may be missing on
the new one, jobs, record and all. A clock that lives on knows how far it came, so that it repeats
nothing; what the replica had not received yet is lost with the server. ``min-replicas-to-write``
keeps that to the moment of the failover: without it an old master that still lives takes claims for
some ten seconds that are forgotten when it is demoted.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest
from redis import Redis

from clock.connection.sentinel import connect_to_master
from clock.jobs import EnqueueError, Handle, Status, enqueue
from tests.live.clock_process import ClockProcess
from tests.live.environment import bare_environment
from tests.live.jobs import scheduled
from tests.live.sentinels import MASTER, Sentinels
from tests.live.valkey_process import ValkeyProcess
from tests.live.waiting import wait_for


@pytest.fixture
def clock(sentinels: Sentinels, tmp_path: Path) -> Iterator[ClockProcess]:
    (tmp_path / "settings_for_sentinels.py").write_text(
        f"SENTINEL = {{'INSTANCES': {sentinels.instances()!r}, 'MASTER_NAME': {MASTER!r}}}\n"
    )
    schedule = tmp_path / "schedule.py"
    schedule.write_text(
        "from clock import every\nevery('1 second', 'tasks.x', catch_up='all', tz='UTC')\n"
    )
    clock = ClockOfSettings(schedule, "settings_for_sentinels")
    yield clock
    clock.kill()
    sys.stdout.write(clock.log())


class ClockOfSettings(ClockProcess):
    """``python -m clock FILE -c SETTINGS``."""

    def __init__(self, file: Path, settings: str) -> None:
        self.name = "clock"
        self.out, self.err = file.with_name("clock.out"), file.with_name("clock.err")
        self.spawned = time.time()
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "clock", file.name, "-c", settings, "--log", "json"],
                cwd=file.parent,
                env=bare_environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )


def test_a_forced_failover_doubles_nothing_and_the_clock_goes_on(
    sentinels: Sentinels, clock: ClockProcess
) -> None:
    clock.wait_for_line("enqueued")
    assert clock.lines("started")[0]["server"].startswith("sentinel://127.0.0.1:")
    sentinels.fail_over()
    with Redis.from_url(sentinels.second.url) as redis:
        _goes_on(clock, redis)
        _fired_once_but_for(redis, clock, lost=1)


def test_the_death_of_the_master_doubles_nothing_and_the_clock_goes_on(
    sentinels: Sentinels, clock: ClockProcess
) -> None:
    clock.wait_for_line("enqueued")
    sentinels.first.stop()
    sentinels.wait_for_master(sentinels.second)
    with Redis.from_url(sentinels.second.url) as redis:
        _goes_on(clock, redis)
        _fired_once_but_for(redis, clock, lost=1)


def test_jobs_are_enqueued_and_asked_about_before_and_after_a_failover(
    sentinels: Sentinels,
) -> None:
    settings = {"INSTANCES": sentinels.instances(), "MASTER_NAME": MASTER}
    connection = connect_to_master(settings, 2.0)
    before = enqueue("tasks.x", connection=connection)
    wait_for("the replica has it", lambda: _is_on(sentinels.second, before))
    sentinels.fail_over()

    def enqueued() -> bool:
        with suppress(EnqueueError):
            return enqueue("tasks.x", id="after", connection=connection).is_new
        return False

    wait_for("a job is enqueued", enqueued)
    assert before.status() is Status.WAITING
    with Redis.from_url(sentinels.second.url) as redis:
        assert redis.lrange("rq:queue:default", 0, -1) == [before.id.encode(), b"after"]


def _is_on(server: ValkeyProcess, handle: Handle) -> bool:
    with Redis.from_url(server.url) as redis:
        return bool(redis.exists(f"rq:job:{handle.id}"))


def _goes_on(clock: ClockProcess, redis: Redis) -> None:
    came_over = int(time.time())
    wait_for(
        "the clock claims on the new master",
        lambda: scheduled(redis, "tasks.x")[-1:] > [came_over + 1],
        within=20,
    )
    assert clock.is_alive()
    assert clock.stop() == 0


def _fired_once_but_for(redis: Redis, clock: ClockProcess, *, lost: int) -> None:
    """None is there twice, none was claimed twice, and no more than ``lost`` are missing."""
    on_queue = scheduled(redis, "tasks.x")
    assert all(before < after for before, after in pairwise(on_queue))
    enqueued = clock.enqueued()
    assert len(enqueued) == len(set(enqueued))
    missing = set(range(on_queue[0], on_queue[-1] + 1)) - set(on_queue)
    assert len(missing) <= lost, missing
