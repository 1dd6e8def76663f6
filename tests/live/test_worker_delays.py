"""Delayed jobs, and retries after an interval."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue, RateLimit, Retry
from rq.job import Job, JobStatus

from tests.live.conftest import StartWorker
from tests.live.rq_worker import RQWorker
from tests.live.server import Server
from tests.live.waiting import wait_for, wait_until

LATE = 3.0
"""Seconds that a delayed job may be late. A worker looks every second; the rest is for a machine
under load."""

LOCK = "rq:scheduler-lock:default"


def _delay(queue: Queue, seconds: float) -> tuple[Job, float]:
    due = time.time() + seconds
    return queue.enqueue_at(datetime.fromtimestamp(due, UTC), "work.add", 1, 2), due


def _started(job: Job) -> float:
    """When it started, in UTC seconds since 1970, once it has ended."""
    wait_for("the job ends", lambda: job.get_status(refresh=True) == "finished", within=30)
    started = Job.fetch(job.id, connection=job.connection).started_at
    assert started is not None
    return started.timestamp()


def _ended(job: Job) -> JobStatus:
    """Its status once it has ended."""
    ends = (JobStatus.FINISHED, JobStatus.FAILED)
    wait_for("the job ends", lambda: job.get_status(refresh=True) in ends, within=30)
    status = job.get_status()
    assert status is not None
    return status


def _error(job: Job) -> str:
    result = job.latest_result()
    assert result is not None
    return result.exc_string or ""


@pytest.mark.parametrize("options", [(), ("--with-scheduler",)], ids=["alone", "with scheduler"])
def test_delayed_jobs_and_retries_start_within_a_second_or_so(
    redis: Redis, start_worker: StartWorker, options: tuple[str, ...]
) -> None:
    queue = Queue("default", connection=redis)
    retried = queue.enqueue("work.fail_once", retry=Retry(1, interval=2))
    worker = start_worker(*options)
    worker.wait_until_listening()
    delayed = [_delay(queue, seconds) for seconds in (0.5, 1, 1.5, 2, 4)]
    for job, due in delayed:
        assert 0 <= _started(job) - int(due) <= LATE
    wait_for("the retry ends", lambda: retried.is_finished)
    first, second = sorted(float(line.split()[3]) for line in _notes(worker.out.parent))
    assert 1 <= second - first <= 2 + LATE
    assert redis.zcard("rq:scheduled:default") == 0


def _notes(folder: Path) -> list[str]:
    return (folder / "noted.txt").read_text().splitlines()


def test_a_queue_whose_scheduler_lives_is_left_to_it(
    redis: Redis, start_worker: StartWorker
) -> None:
    queue = Queue("default", connection=redis)
    redis.set(LOCK, "somebody", ex=5)
    free_at = time.time() + 5
    job, _ = _delay(queue, 0.2)
    start_worker()
    assert free_at - 1 <= _started(job) <= free_at + LATE


def test_delayed_jobs_run_once_beside_rq_s_own_scheduler(
    redis: Redis, server: Server, work_folder: Path, start_worker: StartWorker
) -> None:
    queue = Queue("default", connection=redis)
    start_worker()
    theirs = RQWorker(work_folder, server.url, "--with-scheduler", "default")
    try:
        wait_for("RQ's scheduler has the lock", lambda: redis.exists(LOCK))
        due = time.time() + 2
        jobs = [
            queue.enqueue_at(datetime.fromtimestamp(due, UTC), "work.nap", 0) for _ in range(20)
        ]
        for job in jobs:
            _started(job)
        assert sum(line.startswith("begin") for line in _notes(work_folder)) == 20
    finally:
        theirs.clean_up()


def test_delayed_jobs_are_on_time_while_workers_are_killed_and_replaced(
    redis: Redis, start_worker: StartWorker
) -> None:
    queue = Queue("default", connection=redis)
    one, two = start_worker("--with-scheduler"), start_worker("--with-scheduler")
    one.wait_until_listening()
    two.wait_until_listening()
    begin = time.time()
    delayed = [_delay(queue, 1 + number * 0.5) for number in range(16)]
    wait_until(begin + 2)
    one.kill()
    start_worker("--with-scheduler").wait_until_listening()
    wait_until(begin + 5)
    assert two.stop() < 5
    start_worker("--with-scheduler")
    # The job that it ran when it was killed ends by its own policy: it has no retries.
    abandoned = [job for job, _ in delayed if _ended(job) == JobStatus.FAILED]
    assert len(abandoned) <= 1
    assert all("its worker worker-1 died" in _error(job) for job in abandoned)
    late = [_started(job) - int(due) for job, due in delayed if job not in abandoned]
    assert min(late) >= 0
    assert max(late) <= LATE


def test_delayed_jobs_with_a_rate_limit_all_run(redis: Redis, start_worker: StartWorker) -> None:
    queue = Queue("default", connection=redis)
    jobs = [
        queue.enqueue_in(timedelta(seconds=1), "work.add", n, 1, rate_limit=RateLimit("shop", 1))
        for n in range(4)
    ]
    start_worker()
    for job in jobs:
        _started(job)
    assert redis.zcard("rq:scheduled:default") == 0


def test_dependents_run_soon_though_many_children_end_their_dependencies_at_once(
    redis: Redis, start_worker: StartWorker
) -> None:
    queue = Queue("default", connection=redis)
    dependents = []
    for _ in range(100):
        first = queue.enqueue("work.add", 1, 2)
        dependents.append(queue.enqueue("work.add", 1, 2, depends_on=first))
    for _ in range(2):
        start_worker(CLOCK_PROCESSES="3")
    wait_for("all end", lambda: redis.zcard("rq:finished:default") == 200, within=30)
    assert redis.zcard("rq:ready:default") == 0
