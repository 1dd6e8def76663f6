"""A worker that is asked to stop in the middle of a job."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from redis import Redis
from rq import Callback, Queue, Retry
from rq.job import Job, JobStatus

from clock.runs.records import read_runs
from clock.runs.run import RunOutcome
from clock.worker.graceful import LAST_WORDS
from tests.live.conftest import StartWorker
from tests.live.processes import needs_proc, processes_in
from tests.live.waiting import wait_for
from tests.live.worker_process import WorkerProcess
from tests.live.worker_tasks import EVENT, enqueue_occurrence

pytestmark = needs_proc

ASIDE = 3.0
"""Seconds a worker takes for its own end, on a busy machine; the platform's 30 have them."""


def test_a_job_that_ends_within_the_grace_has_succeeded(
    redis: Redis, start_worker: StartWorker, work_folder: Path
) -> None:
    job = enqueue_occurrence(redis, "nap", 2)
    worker = start_worker()
    _noted(work_folder, "begin")
    _signal_everything(work_folder)

    assert worker.process.wait(timeout=10) == 0
    assert job.get_status() == JobStatus.FINISHED, worker.output()
    assert job.return_value() == "slept"
    assert [run.outcome for run in read_runs(redis, "clock", EVENT)] == [RunOutcome.SUCCEEDED]
    assert worker.lines("told") == []


def test_a_job_that_does_not_is_told_and_goes_back_to_its_queue_where_it_has_retries(
    redis: Redis, start_worker: StartWorker, work_folder: Path
) -> None:
    job = enqueue_occurrence(redis, "nap", 60, retry=Retry(1))
    worker = start_worker(CLOCK_GRACE="1")
    _noted(work_folder, "begin")
    took = _stop_all(worker, work_folder)

    assert 1 <= took < 1 + ASIDE
    assert job.get_status() == JobStatus.QUEUED
    assert Queue("default", connection=redis).job_ids == [job.id]
    job = Job.fetch(job.id, connection=redis)
    assert job.retries_left == 1, "a stop is not the job's fault"
    (run,) = read_runs(redis, "clock", EVENT)
    assert (run.outcome, run.error, run.attempt) == (RunOutcome.STOPPED, "Stopping", 1)
    assert redis.zcard("rq:wip:default") == 0
    assert [len(worker.lines(each)) for each in ("stopping", "told", "killed")] == [1, 1, 0]


def test_one_without_retries_fails_with_a_reason_that_says_so(
    redis: Redis, start_worker: StartWorker, work_folder: Path
) -> None:
    job = enqueue_occurrence(redis, "nap", 60, on_failure=Callback("work.mourn"))
    worker = start_worker(CLOCK_GRACE="0.2")
    _noted(work_folder, "begin")
    _stop_all(worker, work_folder)

    assert job.get_status() == JobStatus.FAILED
    result = job.latest_result()
    assert result is not None
    assert "the worker was asked to stop" in str(result.exc_string)
    assert len(_noted(work_folder, "mourned-Stopping")) == 1
    (run,) = read_runs(redis, "clock", EVENT)
    assert (run.outcome, run.error) == (RunOutcome.STOPPED, "Stopping")


def test_a_task_that_catches_it_and_returns_has_succeeded(
    redis: Redis, start_worker: StartWorker, work_folder: Path
) -> None:
    # The signal reaches the second job of a process as it does the first.
    Queue("default", connection=redis).enqueue("work.add", 1, 2)
    job = enqueue_occurrence(redis, "tidy", retry=Retry(1))
    worker = start_worker(CLOCK_GRACE="0.2")
    _noted(work_folder, "begin")
    _stop_all(worker, work_folder)

    assert len(_noted(work_folder, "tidied")) == 1
    assert job.return_value() == "tidied"
    assert [run.outcome for run in read_runs(redis, "clock", EVENT)] == [RunOutcome.SUCCEEDED]


@pytest.mark.parametrize("retries", [0, 1])
def test_a_task_that_does_not_heed_it_is_killed_soon_after(
    redis: Redis, start_worker: StartWorker, work_folder: Path, retries: int
) -> None:
    job = enqueue_occurrence(redis, "deaf", retry=Retry(retries) if retries else None)
    worker = start_worker(CLOCK_GRACE="0.2")
    _noted(work_folder, "begin")
    took = _stop_all(worker, work_folder)

    assert LAST_WORDS < took < LAST_WORDS + ASIDE
    assert len(_noted(work_folder, "heard")) == 1
    assert job.get_status() == (JobStatus.QUEUED if retries else JobStatus.FAILED)
    job = Job.fetch(job.id, connection=redis)
    assert job.retries_left == (1 if retries else None)
    (run,) = read_runs(redis, "clock", EVENT)
    assert (run.outcome, run.error) == (RunOutcome.STOPPED, "SIGKILL")
    if not retries:
        result = job.latest_result()
        assert result is not None
        assert "its worker was asked to stop" in str(result.exc_string)


def test_a_stop_asked_for_again_and_again_does_not_shorten_the_grace(
    redis: Redis, start_worker: StartWorker, work_folder: Path
) -> None:
    job = enqueue_occurrence(redis, "nap", 4)
    worker = start_worker(CLOCK_GRACE="20")
    (begin,) = _noted(work_folder, "begin")
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        for pid in (worker.process.pid, begin[0]):
            os.kill(pid, signal.SIGTERM)
        time.sleep(0.3)

    assert worker.process.wait(timeout=10) == 0
    assert job.return_value() == "slept"
    assert len(worker.lines("stopping")) > 3


def test_a_person_who_asks_twice_gets_the_end_at_once(
    redis: Redis, start_worker: StartWorker, work_folder: Path
) -> None:
    job = enqueue_occurrence(redis, "nap", 60, retry=Retry(1))
    worker = start_worker()
    _noted(work_folder, "begin")
    worker.process.send_signal(signal.SIGINT)
    wait_for("the worker heard it", lambda: worker.lines("stopping"))
    time.sleep(1.1)  # what counts as asked twice is a length of time

    assert worker.stop(signal.SIGINT) < ASIDE
    assert job.get_status() == JobStatus.QUEUED
    assert [run.outcome for run in read_runs(redis, "clock", EVENT)] == [RunOutcome.STOPPED]


def test_an_idle_worker_stops_within_seconds_and_is_known_to_be_gone(
    redis: Redis, start_worker: StartWorker
) -> None:
    worker = start_worker("high", "default", "low", "--with-scheduler")
    worker.wait_until_listening()
    wait_for("it lives", lambda: redis.keys("clock:worker:worker-1.*"))

    assert worker.stop() < 2 + ASIDE
    assert redis.smembers("rq:workers") == set()
    assert redis.keys("clock:worker:*") == []


def test_what_a_task_starts_can_still_be_ended_by_sigterm(
    redis: Redis, start_worker: StartWorker, work_folder: Path
) -> None:
    (work_folder / "starting.py").write_text(
        "import multiprocessing, subprocess, time\n"
        "def start():\n"
        "    program = subprocess.Popen(['sleep', '60'])\n"
        "    program.terminate()\n"
        "    codes = {program.wait(10)}\n"
        "    context = multiprocessing.get_context('fork')\n"
        "    for _ in range(50):\n"
        "        fork = context.Process(target=time.sleep, args=(60,))\n"
        "        fork.start()\n"
        "        fork.terminate()\n"
        "        fork.join(5)\n"
        "        codes.add(fork.exitcode)\n"
        "    return codes\n"
    )
    job = Queue("default", connection=redis).enqueue("starting.start")
    start_worker("--burst").process.wait(timeout=20)
    assert job.return_value() == {-signal.SIGTERM}


def _signal_everything(folder: Path) -> None:
    """What a platform does: SIGTERM to every process there is."""
    for pid in processes_in(folder):
        os.kill(pid, signal.SIGTERM)


def _stop_all(worker: WorkerProcess, folder: Path) -> float:
    begin = time.monotonic()
    _signal_everything(folder)
    assert worker.process.wait(timeout=15) == 0, worker.output()
    return time.monotonic() - begin


def _noted(folder: Path, text: str) -> list[list[int]]:
    """What tasks noted under ``text``, once there is anything: the pids of the run and its
    worker.
    """

    def found() -> list[list[int]]:
        file = folder / "noted.txt"
        lines = file.read_text().splitlines() if file.exists() else []
        return [
            [int(pid) for pid in line.split()[1:3]] for line in lines if line.split()[0] == text
        ]

    return wait_for(f"a task notes {text!r}", found)
