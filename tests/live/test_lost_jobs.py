"""Jobs that are queued and on no queue: left by the dead and, for a moment, by the living."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job
from rq.utils import as_text

from clock import keys
from clock.worker.lost import put_back_lost
from clock.worker.recovery import DEATHS
from tests.live.conftest import StartWorker
from tests.live.environment import bare_environment
from tests.live.rq_worker import RQWorker
from tests.live.server import Server
from tests.live.waiting import wait_for
from tests.live.worker_tasks import enqueue_occurrence
from tests.worker.test_lost import wait

BETWEEN = """
import os
import signal
import time

from rq import Worker


class Dies(Worker):
    def execute_job(self, *arguments):
        os.kill(os.getpid(), signal.SIGKILL)


class Dawdles(Worker):
    def execute_job(self, *arguments):
        time.sleep(0.2)
        super().execute_job(*arguments)
"""

HALF = """
import os, signal, sys

from redis import Redis
from rq import Queue


class Dies(Queue):
    def push_job_id(self, *arguments, **options):
        options["pipeline"].execute()
        os.kill(os.getpid(), signal.SIGKILL)


Dies(connection=Redis.from_url(sys.argv[1])).enqueue("work.nap", 0)
"""

StartRQWorker = Callable[..., RQWorker]

QUEUES = ("high", "default")


@pytest.fixture
def start_rq_worker(server: Server, work_folder: Path) -> Iterator[StartRQWorker]:
    """Start RQ's own workers, of a class in ``between.py``, on two queues."""
    (work_folder / "between.py").write_text(BETWEEN)
    workers: list[RQWorker] = []

    def start(kind: str) -> RQWorker:
        workers.append(RQWorker(work_folder, server.url, "-w", kind, *QUEUES))
        return workers[-1]

    yield start
    for worker in workers:
        worker.clean_up()
        sys.stdout.write(worker.output())


def test_jobs_of_processes_that_were_killed_half_way_run(
    server: Server,
    redis: Redis,
    work_folder: Path,
    start_worker: StartWorker,
    start_rq_worker: StartRQWorker,
) -> None:
    taken = enqueue_occurrence(redis, "nap", 0)
    start_rq_worker("between.Dies")
    wait_for("it is taken", lambda: redis.llen("rq:queue:default") == 0)
    half = [sys.executable, "-c", HALF, server.url]
    subprocess.run(half, env=bare_environment(), check=False, timeout=30)
    ids = {key.decode().removeprefix("rq:job:") for key in redis.scan_iter("rq:job:*")}
    assert len(ids) == 2
    assert taken.id in ids
    assert redis.llen("rq:queue:default") == 0

    worker = start_worker("elsewhere", "default")
    wait_for("they are seen", lambda: redis.hlen(keys.lost()) == 2, within=30)
    assert taken.get_status() == "queued"
    wait(redis)
    jobs = [Job.fetch(identifier, connection=redis) for identifier in ids]
    wait_for("they run", lambda: all(job.is_finished for job in jobs))
    assert (work_folder / "noted.txt").read_text().count("begin") == 2
    assert len(worker.lines("abandoned")) == 2


def test_no_job_runs_twice_beside_living_workers(
    redis: Redis, work_folder: Path, start_rq_worker: StartRQWorker
) -> None:
    jobs = [
        Queue(QUEUES[number % 2], connection=redis).enqueue("work.nap", 0) for number in range(50)
    ]
    for kind in ("rq.Worker", "rq.Worker", "between.Dawdles"):
        start_rq_worker(kind)
    seen: Counter[str] = Counter()

    def have_ended() -> bool:
        # Again and again in the time that the real look takes once, and after less patience.
        for _ in range(20):
            assert not [*put_back_lost(redis, job_prefix="rq:job:", most_deaths=DEATHS, after=2)]
            seen.update(as_text(job) for job in redis.hkeys(keys.lost()))
        return sum(redis.zcard(f"rq:finished:{name}") for name in QUEUES) == len(jobs)

    wait_for("all end", have_ended, within=60)
    assert seen, "no job was seen between its queue and its start"
    assert (work_folder / "noted.txt").read_text().count("begin") == len(jobs)
