"""Workers that die in the middle of a job."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from redis import Redis
from rq import Callback, Retry
from rq.job import Job, JobStatus

from clock import keys
from clock.runs.records import read_runs
from clock.runs.run import Run, RunOutcome
from tests.live.conftest import StartWorker
from tests.live.processes import needs_proc
from tests.live.waiting import wait_for
from tests.live.worker_process import is_alive
from tests.live.worker_tasks import EVENT, enqueue_occurrence

pytestmark = [needs_proc, pytest.mark.timeout(180)]

NOTICED_WITHIN = 30.0
"""Seconds within which an abandoned job is found."""


@pytest.mark.long
@pytest.mark.parametrize("also_the_job", [True, False], ids=["and its job", "alone"])
def test_a_killed_worker_s_job_is_back_in_half_a_minute_and_runs_exactly_once_more(
    redis: Redis, start_worker: StartWorker, work_folder: Path, also_the_job: bool
) -> None:
    job = enqueue_occurrence(redis, "nap", 5, retry=Retry(2))
    first = start_worker("high", "default", "low")
    (pid, _), *_ = _noted(work_folder, "begin")
    start_worker("high", "default", "low").wait_until_listening()
    if also_the_job:
        os.kill(pid, signal.SIGKILL)
    first.kill()
    begin = time.monotonic()
    wait_for("the job dies with its worker", lambda: not is_alive(pid))

    wait_for("it runs again", lambda: len(_noted(work_folder, "begin")) == 2, within=NOTICED_WITHIN)
    assert time.monotonic() - begin < NOTICED_WITHIN
    wait_for("it ends", lambda: job.get_status() == JobStatus.FINISHED)
    assert len(_noted(work_folder, "begin")) == 2
    assert len(_noted(work_folder, "end")) == 1
    runs = read_runs(redis, "clock", EVENT)
    assert [_shown(run) for run in runs] == [
        (RunOutcome.SUCCEEDED, 2, "worker-2"),
        (RunOutcome.ABANDONED, 1, "worker-1"),
    ]
    job = Job.fetch(job.id, connection=redis)
    assert job.retries_left == 1
    assert redis.zcard("rq:wip:default") == 0


@pytest.mark.long
def test_a_task_that_kills_its_worker_three_times_is_given_up(
    redis: Redis, start_worker: StartWorker, work_folder: Path
) -> None:
    job = enqueue_occurrence(
        redis, "kill_worker", retry=Retry(9), on_failure=Callback("work.mourn")
    )
    last = start_worker("elsewhere")
    for number in (2, 3, 4):
        worker = start_worker("default")
        worker.process.wait(timeout=NOTICED_WITHIN)
        # As if its last sign of life had been long ago: here it is the count that matters.
        redis.delete(*redis.scan_iter(keys.heartbeat(f"worker-{number}.*")))
        wait_for(
            "the death is found",
            lambda number=number: len(last.lines("abandoned")) == number - 1,  # type: ignore[misc]
            within=NOTICED_WITHIN,
        )

    assert len(_noted(work_folder, "begin")) == 3
    assert job.get_status() == JobStatus.FAILED
    result = job.latest_result()
    assert result is not None
    assert result.exc_string == "given up: 3 workers died while they ran it"
    assert [run.outcome for run in read_runs(redis, "clock", EVENT)] == [RunOutcome.ABANDONED] * 3
    start_worker("--burst", "default").process.wait(timeout=20)
    assert len(_noted(work_folder, "mourned-AbandonedJobError")) == 3
    assert len(_noted(work_folder, "begin")) == 3


@pytest.mark.long
def test_a_worker_that_seemed_dead_does_not_end_a_job_taken_by_another(
    redis: Redis, start_worker: StartWorker, work_folder: Path
) -> None:
    job = enqueue_occurrence(redis, "nap", 45, retry=Retry(2))
    first = start_worker("default")
    (pid, _), *_ = _noted(work_folder, "begin")
    start_worker("default").wait_until_listening()
    first.process.send_signal(signal.SIGSTOP)
    wait_for("it runs again", lambda: len(_noted(work_folder, "begin")) == 2, within=NOTICED_WITHIN)
    first.process.send_signal(signal.SIGCONT)

    wait_for("the first run is ended", lambda: not is_alive(pid))
    first.wait_for_text("msg=overtaken")
    assert job.get_status() == JobStatus.STARTED
    assert redis.zcard("rq:wip:default") == 1
    assert [_shown(run) for run in read_runs(redis, "clock", EVENT)] == [
        (RunOutcome.ABANDONED, 1, "worker-1")
    ]
    assert redis.lrange("rq:queue:default", 0, -1) == []
    assert first.stop() < 5


def test_the_end_of_a_run_that_was_taken_over_is_not_written(
    redis: Redis, start_worker: StartWorker, work_folder: Path
) -> None:
    job = enqueue_occurrence(redis, "nap", 3, retry=Retry(2))
    first = start_worker("default")
    (pid, _), *_ = _noted(work_folder, "begin")
    (execution,) = job.get_executions()
    first.process.send_signal(signal.SIGSTOP)
    # What the one that takes it over does: the run itself finds out at its end.
    redis.hset(execution.key, keys.OWNER, "somebody else")
    first.wait_for_text("msg=overtaken")
    assert len(_noted(work_folder, "end")) == 1
    assert is_alive(pid), "the child goes on with other jobs"
    first.process.send_signal(signal.SIGCONT)
    assert first.stop() < 5

    assert job.get_status() == JobStatus.STARTED
    assert job.latest_result() is None
    assert read_runs(redis, "clock", EVENT) == []


def _shown(run: Run) -> tuple[RunOutcome, int, str]:
    return run.outcome, run.attempt, run.worker


def _noted(folder: Path, text: str) -> list[tuple[int, int]]:
    """What tasks noted under ``text``, once there is anything: the pids of the run and its
    worker.
    """

    def notes() -> list[tuple[int, int]]:
        file = folder / "noted.txt"
        lines = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        return [(int(pid), int(parent)) for note, pid, parent, _ in lines if note == text]

    return wait_for(f"a task notes {text!r}", notes)


@pytest.mark.long
def test_a_worker_with_the_name_of_a_killed_one_recovers_its_job(
    redis: Redis, start_worker: StartWorker, work_folder: Path
) -> None:
    job = enqueue_occurrence(redis, "nap", 3, retry=Retry(1))
    first = start_worker()
    _noted(work_folder, "begin")
    first.kill()
    begin = time.monotonic()
    again = start_worker("--name", "worker-1")

    wait_for(
        "it runs again", lambda: len(_noted(work_folder, "begin")) == 2, within=2 * NOTICED_WITHIN
    )
    assert time.monotonic() - begin < 2 * NOTICED_WITHIN
    wait_for("it ends", lambda: job.get_status() == JobStatus.FINISHED)
    assert again.process.poll() is None
