"""Storms of ``kill -9`` over workers: every job ends as its policy says."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from redis import Redis

from tests.live.conftest import StartWorker
from tests.live.processes import needs_proc
from tests.live.storm import Storm, check, enqueue_crowd, prepare, wait_for_ends

pytestmark = [needs_proc, pytest.mark.alone, pytest.mark.timeout(600)]

JOBS = int(os.environ.get("STORM_JOBS", "2000"))
"""How many jobs. A long storm is ``STORM_JOBS=20000``."""

SEED = int(os.environ.get("STORM_SEED", str(random.randrange(1_000_000))))


@pytest.mark.parametrize("count", [1, 6], ids=["one queue", "six queues"])
def test_jobs_end_as_their_policy_says_while_processes_are_killed(
    redis: Redis, work_folder: Path, start_worker: StartWorker, count: int
) -> None:
    print(f"STORM_SEED={SEED}")  # noqa: T201
    chance = random.Random(SEED)
    queues = [f"q{number}" for number in range(count)]
    prepare(work_folder)
    # One whose heartbeats are never interrupted looks for what the others leave.
    start_worker("elsewhere")
    jobs = enqueue_crowd(redis, JOBS, queues, chance)
    storm = Storm(redis, lambda: start_worker("-c", "settings", *queues), 3, chance)
    storm.rage(seconds=14 * JOBS / 2000, every=0.3)
    wait_for_ends(redis, jobs, queues, within=40 + JOBS / 200)
    storm.stop()
    deaths = check(redis, work_folder, jobs, queues)
    print(storm.kills, deaths)  # noqa: T201
    assert deaths >= 10
