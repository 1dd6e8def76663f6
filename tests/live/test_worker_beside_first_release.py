"""Workers of 0.1.0 and of this code on the same queues, as during the deploy of an upgrade."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from redis import Redis
from rq import Retry
from rq.job import Job

from clock.runs.records import read_runs
from clock.runs.run import RunOutcome
from tests.live.conftest import StartWorker
from tests.live.first_release import unpack_first_release
from tests.live.processes import needs_proc
from tests.live.waiting import wait_for
from tests.live.worker_tasks import EVENT, enqueue_occurrence

pytestmark = [needs_proc, pytest.mark.timeout(180)]

QUEUES = ("high", "low")


@pytest.mark.long
def test_workers_of_both_releases_recover_each_other_s_jobs_and_leave_the_living_alone(
    redis: Redis, tmp_path: Path, work_folder: Path, start_worker: StartWorker
) -> None:
    old = unpack_first_release(tmp_path / "0.1.0")
    jobs = [
        enqueue_occurrence(redis, "nap", seconds, queue=QUEUES[number % 2], retry=Retry(5))
        for number, seconds in enumerate((3, 3, 3, 24, 24, 24))
    ]
    workers = [start_worker(*QUEUES, **old), start_worker(*QUEUES, CLOCK_PROCESSES="2")]
    noted = work_folder / "noted.txt"
    wait_for("three run", lambda: noted.exists() and noted.read_text().count("begin") == 3)
    for worker in workers:
        worker.kill()
    start_worker(*QUEUES, **old)
    start_worker(*QUEUES, CLOCK_PROCESSES="2")
    wait_for("all end", lambda: all(job.is_finished for job in jobs), within=120)

    runs = Counter(run.outcome for run in read_runs(redis, "clock", EVENT))
    assert runs == {RunOutcome.SUCCEEDED: 6, RunOutcome.ABANDONED: 3}
    assert noted.read_text().count("begin") == 9
    assert noted.read_text().count("end") == 6
    again = [Job.fetch(job.id, connection=redis).number_of_retries or 0 for job in jobs]
    assert sum(again) == 3
    assert all(redis.zcard(f"rq:wip:{name}") == 0 for name in QUEUES)
