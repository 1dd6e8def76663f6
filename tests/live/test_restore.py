"""A server that is restored from an older copy of its data."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis

from clock.instant import utc_text
from tests.live.conftest import StartClock, WriteSchedule
from tests.live.environment import bare_environment
from tests.live.jobs import fired, job_hashes, scheduled
from tests.live.server import Server
from tests.live.waiting import wait_for


@pytest.mark.parametrize("is_moved", [True, False])
def test_jobs_enqueued_after_the_backup_are_repeated_unless_clock_restore_ran(
    is_moved: bool,
    server: Server,
    tmp_path: Path,
    redis: Redis,
    write_schedule: WriteSchedule,
    start_clock: StartClock,
) -> None:
    file = write_schedule(
        "every('1 second', 'tasks.x', name='all', catch_up='all')",
        "every('1 second', 'tasks.x', name='latest')",
    )
    clock = start_clock(file)
    wait_for("both fire", lambda: {job.event for job in fired(redis)} == {"all", "latest"})
    assert clock.stop() == 0
    copied = scheduled(redis, "all")[-1]
    server.stop()
    shutil.copytree(tmp_path / "server", tmp_path / "copy")
    server.start()

    clock = start_clock(file)
    wait_for("they fire since the copy", lambda: scheduled(redis, "latest")[-1] >= copied + 4)
    assert clock.stop() == 0
    lost = max(job.scheduled for job in fired(redis))
    server.stop()
    shutil.rmtree(tmp_path / "server")
    shutil.copytree(tmp_path / "copy", tmp_path / "server")
    server.start()

    if is_moved:
        words = ["restore", utc_text(lost), "--url", server.url]
        subprocess.run(
            [sys.executable, "-m", "clock", *words],
            cwd=file.parent,
            env=bare_environment(),
            check=True,
            timeout=60,
        )
    clock = start_clock(file)
    wait_for("they fire again", lambda: scheduled(redis, "latest")[-1] >= lost + 2)
    assert clock.stop() == 0
    doubled = {job.scheduled for job in fired(redis) if copied < job.scheduled <= lost}
    assert (doubled == set()) is is_moved
    # After the loss nothing is left out, and nothing comes twice.
    after = [at for at in scheduled(redis, "all") if at > lost]
    assert after == list(range(lost + 1, lost + 1 + len(after)))
    assert {job.job_id for job in fired(redis)} == job_hashes(redis)
