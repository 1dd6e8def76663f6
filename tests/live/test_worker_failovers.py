"""Workers whose server is named by sentinels go over to the new master, with the jobs they run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from rq import Retry
from rq.job import Job

from clock.runs.records import read_runs
from clock.runs.run import RunOutcome
from tests.live.processes import needs_proc
from tests.live.sentinels import MASTER, Sentinels
from tests.live.waiting import wait_for, wait_until
from tests.live.worker_process import WorkerProcess
from tests.live.worker_tasks import EVENT, enqueue_occurrence

pytestmark = [needs_proc, pytest.mark.timeout(180)]

StartWorkers = Callable[[], list[WorkerProcess]]

HEARTBEATS_END = 17
"""Seconds without a server after which no heartbeat is left."""


@pytest.fixture
def start_workers(sentinels: Sentinels, work_folder: Path) -> Iterator[StartWorkers]:
    """Start two workers with two children each, which follow the sentinels."""
    (work_folder / "settings.py").write_text(
        f"SENTINEL = {{'INSTANCES': {sentinels.instances()!r}, 'MASTER_NAME': {MASTER!r}}}\n"
        "PROCESSES = 2\n"
    )
    workers: list[WorkerProcess] = []

    def start() -> list[WorkerProcess]:
        for number in range(2):
            name = f"worker-{number}"
            workers.append(WorkerProcess(work_folder, None, "-c", "settings", name=name))
        return workers

    yield start
    for worker in workers:
        worker.clean_up()
        print(worker.output())  # noqa: T201


def test_jobs_go_on_over_a_failover(
    sentinels: Sentinels, start_workers: StartWorkers, work_folder: Path
) -> None:
    first = Redis.from_url(sentinels.first.url)
    for seconds in (1, 9, 9, 10):
        enqueue_occurrence(first, "nap", seconds, retry=Retry(2))
    workers = start_workers()
    _wait_for_runs(work_folder, 4)
    sentinels.fail_over()
    redis = Redis.from_url(sentinels.second.url)
    _enqueue_more(redis)
    _wait_for_ends(redis, 6)
    _each_ran_once(redis, work_folder, workers, 6)


def test_no_living_worker_is_judged_dead_after_a_failover_that_its_heartbeats_did_not_survive(
    sentinels: Sentinels, start_workers: StartWorkers, work_folder: Path
) -> None:
    first = Redis.from_url(sentinels.first.url)
    for _ in range(4):
        enqueue_occurrence(first, "nap", 45, retry=Retry(2))
    workers = start_workers()
    _wait_for_runs(work_folder, 4)
    assert first.wait(1, 5000) == 1
    sentinels.second.suspend()
    sentinels.first.kill()
    wait_until(time.time() + HEARTBEATS_END)
    sentinels.second.resume()
    sentinels.wait_for_master(sentinels.second)
    redis = Redis.from_url(sentinels.second.url)
    _enqueue_more(redis)
    _wait_for_ends(redis, 6)
    _each_ran_once(redis, work_folder, workers, 6)


def _enqueue_more(redis: Redis) -> None:
    for _ in range(2):
        enqueue_occurrence(redis, "nap", 0)


def _wait_for_runs(folder: Path, count: int) -> None:
    noted = folder / "noted.txt"
    wait_for("all run", lambda: noted.exists() and noted.read_text().count("begin") == count)


def _wait_for_ends(redis: Redis, count: int) -> None:
    wait_for("all end", lambda: redis.zcard("rq:finished:default") == count, within=60)


def _each_ran_once(redis: Redis, folder: Path, workers: list[WorkerProcess], count: int) -> None:
    noted = (folder / "noted.txt").read_text()
    assert (noted.count("begin"), noted.count("end")) == (count, count)
    runs = read_runs(redis, "clock", EVENT)
    assert Counter(run.outcome for run in runs) == {RunOutcome.SUCCEEDED: count}
    jobs = Job.fetch_many([run.job for run in runs], connection=redis)
    assert all(job is not None and job.is_finished for job in jobs)
    for worker in workers:
        assert not worker.lines("abandoned") + worker.lines("overtaken")
        assert worker.stop() < 10
