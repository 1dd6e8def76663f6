"""Occurrences that are of no use after some time."""

from __future__ import annotations

import time
from pathlib import Path

from redis import Redis

from tests.live.clock_process import logged_at
from tests.live.conftest import StartClock, WriteSchedule
from tests.live.jobs import fired, job_hashes, scheduled
from tests.live.server import Server
from tests.live.waiting import wait_for, wait_until
from tests.live.worker import work_off

PERIOD = 6


def test_a_job_that_no_worker_took_in_time_is_not_run(
    server: Server,
    redis: Redis,
    write_schedule: WriteSchedule,
    start_clock: StartClock,
    tmp_path: Path,
) -> None:
    (tmp_path / "work.py").write_text(
        "import pathlib\ndef stale():\n    pathlib.Path('stale').touch()\n"
        "def fresh():\n    pathlib.Path('fresh').touch()\n"
    )
    clock = start_clock(
        write_schedule(
            "every('1 second', 'work.stale', expires='2s')", "every('1 second', 'work.fresh')"
        )
    )
    wait_for("both events fire", lambda: len(job_hashes(redis)) >= 2)
    assert clock.stop() == 0
    stale = [job for job in fired(redis) if job.event == "work.stale"]
    keys = [f"rq:job:{job.job_id}" for job in stale]
    expiries = [redis.pexpiretime(key) for key in keys]
    assert expiries == [(job.scheduled + 2) * 1000 for job in stale]

    wait_for("the hashes of the stale jobs are gone", lambda: not redis.exists(*keys))
    assert redis.llen("rq:queue:default") >= 2
    work_off(tmp_path, server.url, "default")
    assert (tmp_path / "fresh").exists()
    assert not (tmp_path / "stale").exists()


def test_an_occurrence_that_expired_while_no_clock_ran_is_not_enqueued(
    redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    file = write_schedule(f"every('{PERIOD} seconds', 'tasks.x', name='a', expires='1s')")
    clock = start_clock(file)
    wait_for("the event is known", lambda: redis.hexists("clock:clock:decided", "a"))
    assert clock.stop() == 0

    missed = int(time.time()) // PERIOD * PERIOD + PERIOD
    wait_until(missed + 1.1)
    later = start_clock(file)
    line = later.wait_for_line("expired")
    assert missed + 1.1 < logged_at(line) < missed + PERIOD
    wait_for("the next occurrence fires", lambda: missed + PERIOD in scheduled(redis, "a"))
    assert later.stop() == 0
    assert missed not in scheduled(redis, "a")
    assert len(later.lines("expired")) == 1
