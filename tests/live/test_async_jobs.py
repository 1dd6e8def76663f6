"""Jobs whose task is an ``async def``, side by side in one child of a worker."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis
from rq import Callback, Queue, Retry
from rq.command import send_stop_job_command
from rq.job import Job, JobStatus

from clock import keys
from clock.jobs.progress import read_progress
from clock.jobs.rq_versions import IS_RQ_2
from clock.runs.records import read_runs
from clock.runs.run import RunOutcome
from clock.worker.children import STAND_INS
from tests.live.async_tasks import ASYNC_WORK, Notes
from tests.live.conftest import StartWorker
from tests.live.processes import needs_proc
from tests.live.waiting import wait_for, wait_until
from tests.live.worker_process import WorkerProcess
from tests.live.worker_tasks import EVENT, enqueue_occurrence

pytestmark = [needs_proc, pytest.mark.timeout(120)]


@pytest.fixture
def notes(work_folder: Path) -> Notes:
    """What the async tasks note, which are written here."""
    (work_folder / "work.py").write_text(ASYNC_WORK)
    return Notes(work_folder)


@pytest.fixture
def release(work_folder: Path) -> Callable[[], None]:
    """Let the tasks end that wait for it."""
    return (work_folder / "released").touch


@pytest.fixture
def queue(redis: Redis) -> Queue:
    return Queue("default", connection=redis)


def _has(status: JobStatus, *jobs: Job) -> None:
    for job in jobs:
        wait_for(f"{job.id} is {status.value}", lambda job=job: job.get_status() == status)  # type: ignore[misc]


def _error(job: Job) -> str:
    result = job.latest_result()
    assert result is not None
    return result.exc_string or ""


def _finished(queue: Queue, count: int, *, within: float = 60.0) -> None:
    registry = queue.finished_job_registry
    wait_for(f"{count} have finished", lambda: registry.get_job_count() == count, within=within)


@pytest.mark.usefixtures("notes")
def test_five_hundred_run_at_once_and_one_that_takes_too_long_ends_alone(
    redis: Redis, queue: Queue, start_worker: StartWorker
) -> None:
    late = queue.enqueue("work.for_ever", job_timeout=2)
    # None of these ends before all have begun.
    others = queue.enqueue_many(
        [Queue.prepare_data("work.all_begun", args=(500, number)) for number in range(499)]
    )
    start_worker("--quiet", "default", CLOCK_CONCURRENCY="500")

    _finished(queue, 499)
    _has(JobStatus.FAILED, late)
    assert "JobTimeoutException: Task exceeded maximum timeout value (2 seconds)" in _error(late)
    assert len({job.return_value() for job in others}) == 1
    wait_for("no execution is left", lambda: redis.zcard("rq:wip:default") == 0)


def test_no_more_run_at_once_than_the_setting_allows(
    queue: Queue, notes: Notes, start_worker: StartWorker, release: Callable[[], None]
) -> None:
    for number in range(5):
        queue.enqueue("work.wait", number)
    start_worker("default", CLOCK_CONCURRENCY="3")
    notes.wait_for("begin", 3)
    assert queue.count == 2
    release()
    _finished(queue, 5)
    assert max(int(running) for *_, running in notes.all("begin")) == 3


def test_a_stopped_job_ends_alone_and_its_neighbours_go_on(
    redis: Redis,
    queue: Queue,
    notes: Notes,
    start_worker: StartWorker,
    release: Callable[[], None],
) -> None:
    first = queue.enqueue("work.wait", "first", on_stopped=Callback("work.note"))
    second = queue.enqueue("work.wait", "second")
    start_worker("default")
    begun = notes.wait_for("begin", 2)

    send_stop_job_command(redis, first.id)
    _has(JobStatus.STOPPED, first)
    assert second.get_status() == JobStatus.STARTED
    release()
    _has(JobStatus.FINISHED, second)
    assert second.return_value() == int(begun[0][1])
    assert [label for label, *_ in notes.all("cancelled")] == ["first"]
    assert _error(first) == "Job stopped by user, work-horse terminated."


@pytest.mark.skipif(IS_RQ_2, reason="RQ 2 has no such command")
def test_a_stopped_execution_ends_alone(
    redis: Redis,
    queue: Queue,
    notes: Notes,
    start_worker: StartWorker,
    release: Callable[[], None],
) -> None:
    from rq.command import send_stop_execution_command

    first, second = (queue.enqueue("work.wait", label) for label in ("first", "second"))
    start_worker("default")
    notes.wait_for("begin", 2)
    (execution,) = first.get_executions()
    send_stop_execution_command(redis, first.id, execution.id)
    _has(JobStatus.STOPPED, first)
    release()
    _has(JobStatus.FINISHED, second)


def test_when_their_process_is_killed_all_of_fifty_run_again(
    redis: Redis,
    queue: Queue,
    notes: Notes,
    start_worker: StartWorker,
    release: Callable[[], None],
) -> None:
    jobs = [queue.enqueue("work.wait", number, retry=Retry(3)) for number in range(50)]
    start_worker("--quiet", "default")
    ((_, pid, _), *_) = notes.wait_for("begin", 50)
    os.kill(int(pid), signal.SIGKILL)

    begun = notes.wait_for("begin", 100)
    assert sorted(int(label) for label, *_ in begun) == sorted([*range(50)] * 2)
    assert {redis.hget(job.key, keys.DEATHS) for job in jobs} == {b"1"}
    release()
    _finished(queue, 50)
    assert {redis.hget(job.key, keys.DEATHS) for job in jobs} == {None}
    assert {job.retries_left for job in map(queue.fetch_job, (job.id for job in jobs)) if job} == {
        2
    }


def test_without_retries_a_job_fails_with_the_death_of_its_process(
    queue: Queue, notes: Notes, start_worker: StartWorker
) -> None:
    jobs = [queue.enqueue("work.wait", number) for number in range(2)]
    start_worker("default")
    ((_, pid, _), *_) = notes.wait_for("begin", 2)
    os.kill(int(pid), signal.SIGKILL)
    _has(JobStatus.FAILED, *jobs)
    assert "its process was killed by SIGKILL" in _error(jobs[0])


def test_one_that_was_there_when_two_processes_died_runs_alone(
    redis: Redis, queue: Queue, notes: Notes, start_worker: StartWorker
) -> None:
    queue.enqueue("work.wait", "before", "a")
    suspect = queue.enqueue("work.wait", "suspect", "b")
    redis.hset(suspect.key, keys.DEATHS, 2)
    queue.enqueue("work.wait", "after", "c")
    worker = start_worker("default")
    folder = worker.out.parent
    notes.wait_for("begin", 1)
    wait_for("it waits again", lambda: suspect.get_status() == JobStatus.QUEUED)
    (folder / "a").touch()
    notes.wait_for("begin", 2)
    (folder / "b").touch()
    (folder / "c").touch()
    _finished(queue, 3)
    begun = [(label, running) for label, _, running in notes.all("begin")]
    assert begun == [("before", "1"), ("suspect", "1"), ("after", "1")]


def test_each_has_its_job_its_occurrence_its_progress_and_its_context_variables(
    redis: Redis, notes: Notes, start_worker: StartWorker
) -> None:
    labels = ["a", "bb", "ccc"]
    jobs = [enqueue_occurrence(redis, "who", label, 3) for label in labels]
    start_worker("default")
    _has(JobStatus.FINISHED, *jobs)
    for label, job in zip(labels, jobs, strict=True):
        seen = job.return_value()
        assert seen == ["none", label, *[job.id] * 4, EVENT]
        reported = read_progress(redis, job.id)
        assert reported is not None
        assert (reported.done, reported.message) == (len(label), label)
    outcomes = [run.outcome for run in read_runs(redis, "clock", EVENT)]
    assert outcomes == [RunOutcome.SUCCEEDED] * 3


@pytest.mark.usefixtures("notes")
def test_a_task_that_cancels_itself_or_exits_fails_alone(
    queue: Queue, start_worker: StartWorker, release: Callable[[], None]
) -> None:
    other = queue.enqueue("work.wait", "other")
    cancelled, left = queue.enqueue("work.cancels_itself"), queue.enqueue("work.leaves")
    start_worker("default")
    _has(JobStatus.FAILED, cancelled, left)
    assert "CancelledError" in _error(cancelled)
    assert "SystemExit: 3" in _error(left)
    release()
    _has(JobStatus.FINISHED, other)


def test_the_tasks_that_a_task_leaves_behind_are_cancelled(
    queue: Queue, notes: Notes, start_worker: StartWorker
) -> None:
    job = queue.enqueue("work.leaves_a_task")
    worker = start_worker("default")
    _has(JobStatus.FINISHED, job)
    ((is_cancelled, *_),) = notes.wait_for("left")
    assert is_cancelled == "True"
    assert len(worker.lines("tasks left")) == 1


@pytest.mark.parametrize("processes", [1, 2])
def test_a_synchronous_job_runs_in_another_process_while_async_ones_go_on(
    redis: Redis,
    queue: Queue,
    notes: Notes,
    start_worker: StartWorker,
    release: Callable[[], None],
    processes: int,
) -> None:
    first = queue.enqueue("work.wait", "first")
    start_worker("default", CLOCK_PROCESSES=str(processes))
    notes.wait_for("begin")
    plain = [queue.enqueue("work.plain") for _ in range(3)]
    second = queue.enqueue("work.wait", "second")
    _has(JobStatus.FINISHED, *plain)
    notes.wait_for("begin", 5)
    assert {job.get_status() for job in (first, second)} == {JobStatus.STARTED}
    release()
    _has(JobStatus.FINISHED, first, second)
    assert first.return_value() not in {job.return_value() for job in plain}
    assert {running for *_, running in notes.all("begin", "plain")} == {"0"}
    assert redis.zcard("rq:wip:default") == 0


def test_a_synchronous_job_waits_where_the_number_of_jobs_is_limited(
    queue: Queue, notes: Notes, start_worker: StartWorker, release: Callable[[], None]
) -> None:
    waiting = queue.enqueue("work.wait", "first")
    worker = start_worker("--max-jobs", "2", "default")
    notes.wait_for("begin")
    plain = queue.enqueue("work.plain")
    more = queue.enqueue("work.plain")
    wait_for("both wait", lambda: queue.get_job_ids() == [plain.id, more.id])
    release()
    assert worker.process.wait(timeout=15) == 0
    assert waiting.get_status() == plain.get_status() == JobStatus.FINISHED
    assert more.get_status() == JobStatus.QUEUED


def test_a_process_that_has_run_enough_jobs_does_not_hold_up_the_queue(
    queue: Queue, notes: Notes, start_worker: StartWorker, release: Callable[[], None]
) -> None:
    jobs = [queue.enqueue("work.wait", number) for number in range(4)]
    start_worker("default", CLOCK_CHILD_MAX_JOBS="2")
    begun = notes.wait_for("begin", 4)
    assert len({pid for _, pid, _ in begun}) == 2
    release()
    _has(JobStatus.FINISHED, *jobs)


def test_a_stand_in_that_has_run_enough_jobs_does_not_end_the_worker(
    queue: Queue, notes: Notes, start_worker: StartWorker, release: Callable[[], None]
) -> None:
    jobs = [queue.enqueue("work.wait", number) for number in range(3)]
    worker = start_worker("default", CLOCK_CHILD_MAX_JOBS="1")
    notes.wait_for("begin", 2)
    # The worker looks once a second who holds back.
    wait_until(time.time() + 1.5)
    assert worker.process.poll() is None
    release()
    _has(JobStatus.FINISHED, *jobs)


def test_a_stand_in_that_holds_back_too_is_stood_in_for(
    queue: Queue, notes: Notes, start_worker: StartWorker, release: Callable[[], None]
) -> None:
    # As where a stand-in has taken a job that it shares its process with.
    jobs = [queue.enqueue("work.wait", number) for number in range(2 + STAND_INS)]
    start_worker("default", CLOCK_CHILD_MAX_JOBS="1")
    notes.wait_for("begin", 1 + STAND_INS)
    assert queue.get_job_ids() == [jobs[-1].id]
    release()
    _has(JobStatus.FINISHED, *jobs)


def test_after_the_grace_each_is_cancelled_and_may_clean_up(
    queue: Queue, notes: Notes, start_worker: StartWorker
) -> None:
    tidy = queue.enqueue("work.tidy")
    again = queue.enqueue("work.wait", "again", retry=Retry(1))
    fails = queue.enqueue("work.wait", "fails")
    worker = start_worker("default", CLOCK_GRACE="1")
    notes.wait_for("begin", 3)
    assert worker.stop() < 10
    assert tidy.get_status() == JobStatus.FINISHED
    assert tidy.return_value() == "tidied"
    assert again.get_status() == JobStatus.QUEUED
    assert fails.get_status() == JobStatus.FAILED
    assert "Stopping: the worker was asked to stop" in _error(fails)
    assert len(notes.all("cancelled")) == 2


def test_one_that_does_not_let_itself_be_cancelled_is_killed_after_the_grace(
    queue: Queue, notes: Notes, start_worker: StartWorker
) -> None:
    job = queue.enqueue("work.stubborn", retry=Retry(1))
    worker = start_worker("default", CLOCK_GRACE="1")
    notes.wait_for("begin")
    assert worker.stop() < 10
    assert job.get_status() == JobStatus.QUEUED
    assert len(notes.all("heard")) == 1


def test_middleware_goes_around_the_task_and_not_around_its_neighbours(
    queue: Queue, notes: Notes, start_worker: StartWorker, work_folder: Path
) -> None:
    (work_folder / "settings.py").write_text('MIDDLEWARE = ["work.around"]\n')
    jobs = [queue.enqueue("work.surrounded") for _ in range(3)]
    late = queue.enqueue("work.for_ever", job_timeout=1)
    failed = queue.enqueue("work.fails")
    start_worker("-c", "settings", "default")
    _has(JobStatus.FINISHED, *jobs)
    _has(JobStatus.FAILED, late, failed)
    assert [job.return_value() for job in jobs] == [f"around {job.id}" for job in jobs]
    assert sorted(note[0] for note in notes.all("returned")) == sorted(job.id for job in jobs)
    assert sorted(note[:2] for note in notes.all("raised")) == sorted(
        [[late.id, "JobTimeoutException"], [failed.id, "LookupError"]]
    )


@pytest.mark.usefixtures("notes")
def test_a_task_that_blocks_the_loop_is_named_and_ends_at_its_time_limit(
    queue: Queue, start_worker: StartWorker, release: Callable[[], None]
) -> None:
    job = queue.enqueue("work.blocks", job_timeout=2)
    other = queue.enqueue("work.wait", "other")
    worker = start_worker("default")
    _has(JobStatus.FAILED, job)
    assert "JobTimeoutException" in _error(job)
    release()
    _has(JobStatus.FINISHED, other)
    (line,) = worker.lines("blocked")
    assert job.id in line
    assert "work.py" in line


def test_ends_are_written_once_the_server_is_back(
    queue: Queue, notes: Notes, start_worker: StartWorker, work_folder: Path, redis: Redis
) -> None:
    jobs = [queue.enqueue("work.wait", number) for number in range(3)]
    failing = queue.enqueue("work.wait_and_fail")
    worker: WorkerProcess = start_worker("default")
    notes.wait_for("begin", 4)
    redis.client_pause(6000, all=True)
    (work_folder / "released").touch()
    worker.wait_for_text("server away")
    _has(JobStatus.FINISHED, *jobs)
    _has(JobStatus.FAILED, failing)
    assert "LookupError" in _error(failing)
    assert len({pid for _, pid, _ in notes.all("begin")}) == 1
