"""What a worker makes of a pool's signals, of a server's oddities and of old deaths."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

from redis import Redis
from rq import Queue
from rq.command import send_stop_job_command
from rq.job import JobStatus
from rq.suspension import resume, suspend

from clock import keys
from tests.live.conftest import StartWorker
from tests.live.processes import needs_proc
from tests.live.server import Server
from tests.live.waiting import wait_for
from tests.live.worker_process import worker_environment
from tests.live.worker_tasks import enqueue_occurrence

pytestmark = needs_proc


def test_a_job_that_succeeds_forgets_the_workers_that_died_of_it(
    redis: Redis, start_worker: StartWorker
) -> None:
    job = enqueue_occurrence(redis, "add", 1, 2)
    redis.hset(job.key, keys.DEATHS, "2")
    worker = start_worker("--burst")
    assert worker.process.wait(timeout=20) == 0
    assert job.get_status() == JobStatus.FINISHED, worker.output()
    assert not redis.hexists(job.key, keys.DEATHS)


SLOW = """
import time
from rq.job import Job

class SlowJob(Job):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        time.sleep(0.5)
"""


def test_a_job_that_was_taken_a_moment_ago_can_be_stopped(
    redis: Redis, start_worker: StartWorker, work_folder: Path
) -> None:
    # The child has taken it, and has not yet begun: that takes as long as reading the job does.
    (work_folder / "slow.py").write_text(SLOW)
    job = enqueue_occurrence(redis, "nap", 60)
    worker = start_worker("--job-class", "slow.SlowJob")
    wait_for("it is taken", lambda: job.get_status() == JobStatus.STARTED, pause=0.001)
    send_stop_job_command(redis, job.id)
    wait_for("it is stopped", lambda: job.get_status() == JobStatus.STOPPED)
    assert "command ignored" not in worker.output()


def test_the_workers_of_a_pool_give_their_jobs_the_grace(
    server: Server, redis: Redis, work_folder: Path
) -> None:
    job = enqueue_occurrence(redis, "nap", 60)
    command = [sys.executable, "-m", "rq.cli", "worker-pool", "-w", "clock.worker.Worker"]
    with (work_folder / "pool.out").open("wb") as out:
        pool = subprocess.Popen(
            [*command, "--url", server.url, "--num-workers", "1"],
            cwd=work_folder,
            env=worker_environment(CLOCK_GRACE="1"),
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for("the job begins", (work_folder / "noted.txt").exists)
        begin = time.monotonic()
        pool.send_signal(signal.SIGTERM)
        assert pool.wait(timeout=15) == 0
        assert time.monotonic() - begin < 10
    finally:
        if pool.poll() is None:
            os.killpg(pool.pid, signal.SIGKILL)
    printed = (work_folder / "pool.out").read_text()
    assert job.get_status() == JobStatus.FAILED, printed
    assert "msg=told" in printed


def test_a_suspended_worker_takes_no_more_jobs(redis: Redis, start_worker: StartWorker) -> None:
    worker = start_worker()
    worker.wait_until_listening()
    wait_for("it waits", lambda: redis.hget("rq:worker:worker-1", "state") == b"idle")
    suspend(redis)
    jobs = [enqueue_occurrence(redis, "add", 1, 2) for _ in range(2)]
    wait_for("it is suspended", lambda: redis.hget("rq:worker:worker-1", "state") == b"suspended")
    assert Queue("default", connection=redis).job_ids == [job.id for job in jobs]
    resume(redis)
    wait_for("both end", lambda: all(job.is_finished for job in jobs))


def test_a_queue_that_is_not_a_list_is_reported_and_keeps_no_other_waiting(
    redis: Redis, start_worker: StartWorker
) -> None:
    redis.set("rq:queue:broken", "nonsense")
    job = enqueue_occurrence(redis, "add", 1, 2)
    worker = start_worker("broken", "default")
    wait_for("the other queue is served", lambda: job.is_finished)
    assert len(worker.lines("wrong queue")) == 1
    assert worker.stop() < 5


def test_a_stop_is_recorded_where_rq_records_it(
    redis: Redis, start_worker: StartWorker, work_folder: Path
) -> None:
    enqueue_occurrence(redis, "nap", 2)
    worker = start_worker()
    wait_for("the job begins", (work_folder / "noted.txt").exists)
    worker.process.send_signal(signal.SIGTERM)
    wait_for(
        "the request is known",
        lambda: redis.hexists("rq:worker:worker-1", "shutdown_requested_date"),
    )
    assert worker.process.wait(timeout=15) == 0


POISON = [
    None,
    [1],
    7,
    "text",
    {"clock": None},
    {"clock": {"event": "e"}},
    {"clock": {"event": "e", "scheduled_at": "yesterday", "enqueued_at": "today"}},
    {"clock": {"event": "e", "scheduled_at": 7, "enqueued_at": []}},
    {"max_running": "many"},
]


def test_an_invalid_meta_neither_ends_a_worker_nor_blocks_its_job(
    redis: Redis, start_worker: StartWorker
) -> None:
    jobs = [Queue("default", connection=redis).enqueue("work.add", 1, 2) for _ in POISON]
    for job, meta in zip(jobs, POISON, strict=True):
        redis.hset(job.key, "meta", pickle.dumps(meta))
    skipped = enqueue_occurrence(redis, "skip")
    redis.hset(skipped.key, "meta", pickle.dumps([1]))
    worker = start_worker("--burst")
    assert worker.process.wait(timeout=60) == 0, worker.output()
    statuses = [job.get_status() for job in (*jobs, skipped)]
    assert statuses == [JobStatus.FINISHED] * len(statuses), worker.output()
