"""What a worker makes of how its jobs end, and what it records of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue, Retry
from rq.job import Job, JobStatus

from clock.observe.rq.workers import read_workers
from clock.runs.records import read_runs
from clock.runs.run import Run, RunOutcome
from tests.live.conftest import StartClock, StartWorker, WriteSchedule
from tests.live.jobs import fired
from tests.live.waiting import wait_for
from tests.live.worker_tasks import EVENT, SCHEDULED_AT, enqueue_occurrence

S, F, R = RunOutcome.SUCCEEDED, RunOutcome.FAILED, RunOutcome.RETRIED

Ends = list[tuple[RunOutcome, str | None, int]]


@pytest.mark.parametrize(
    ("task", "retries", "status", "ends"),
    [
        ("skip", 3, JobStatus.FINISHED, [(RunOutcome.SKIPPED, None, 1)]),
        ("fail", 0, JobStatus.FAILED, [(F, "ValueError", 1)]),
        ("fail", 1, JobStatus.FAILED, [(R, "ValueError", 1), (F, "ValueError", 2)]),
        ("fail_once", 2, JobStatus.FINISHED, [(R, "ValueError", 1), (S, None, 2)]),
        ("abort", 3, JobStatus.FAILED, [(F, "Abort", 1)]),
        ("once_more", 0, JobStatus.FINISHED, [(R, "Retry", 1), (S, None, 2)]),
        (
            "again",
            0,
            JobStatus.FAILED,
            [*((R, "Retry", n) for n in range(1, 10)), (F, "Retry", 10)],
        ),
        ("again", 2, JobStatus.FAILED, [(R, "Retry", 1), (R, "Retry", 2), (F, "Retry", 3)]),
        ("kill_itself", 0, JobStatus.FAILED, [(F, "SIGKILL", 1)]),
        ("kill_itself", 1, JobStatus.FAILED, [(R, "SIGKILL", 1), (F, "SIGKILL", 2)]),
    ],
)
def test_every_outcome_is_recorded_once_per_attempt(
    redis: Redis,
    start_worker: StartWorker,
    task: str,
    retries: int,
    status: JobStatus,
    ends: Ends,
) -> None:
    job = enqueue_occurrence(redis, task, retry=Retry(retries) if retries else None)
    worker = start_worker("--burst")
    assert worker.process.wait(timeout=20) == 0

    assert job.get_status() == status, worker.output()
    runs = list(reversed(read_runs(redis, "clock", EVENT)))
    assert [(run.outcome, run.error, run.attempt) for run in runs] == ends
    assert redis.zcard("rq:wip:default") == 0


def test_a_record_says_when_and_where(redis: Redis, start_worker: StartWorker) -> None:
    job = enqueue_occurrence(redis, "nap", 0.2)
    start_worker("--burst").process.wait(timeout=20)
    (run,) = read_runs(redis, "clock", EVENT)
    assert (run.event, run.scheduled, run.worker) == (EVENT, SCHEDULED_AT, "worker-1")
    assert run.job == job.id
    assert 0.2 <= run.duration < 2
    assert 0 < run.wait < 10
    assert run.enqueued <= run.started <= run.ended <= time.time()


def test_a_worker_shows_its_job_while_the_job_runs(redis: Redis, start_worker: StartWorker) -> None:
    worker = start_worker()
    job = Queue("default", connection=redis).enqueue("work.nap", 0.5)
    wait_for(
        "the job is seen",
        lambda: [job.id] == [worker_status.job for worker_status in read_workers(redis)],
    )
    wait_for(
        "it has ended",
        lambda: [worker_status.job for worker_status in read_workers(redis)] == [None],
    )
    worker.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="known on Linux only")
def test_a_worker_shows_what_its_processes_use(redis: Redis, start_worker: StartWorker) -> None:
    worker = start_worker()
    # Its own process, the one that forks, and the child.
    wait_for(
        "they are seen",
        lambda: [shown.processes for shown in read_workers(redis)] == [3],
    )
    (shown,) = read_workers(redis)
    assert shown.memory is not None
    assert shown.memory > 1 << 20
    assert shown.cpu is not None
    assert shown.cpu > 0
    worker.stop()


def test_a_job_that_no_clock_enqueued_has_no_record(
    redis: Redis, start_worker: StartWorker
) -> None:
    Queue("default", connection=redis).enqueue("work.add", 1, 2)
    start_worker("--burst").process.wait(timeout=20)
    assert list(redis.scan_iter("clock:*:runs:*")) == []


def test_a_skipped_job_has_its_value_and_can_be_told_from_a_finished_one(
    redis: Redis, start_worker: StartWorker
) -> None:
    skipped = enqueue_occurrence(redis, "skip")
    finished = enqueue_occurrence(redis, "add", 1, 2)
    at_once = enqueue_occurrence(redis, "skip", result_ttl=0)
    start_worker("--burst").process.wait(timeout=20)
    assert skipped.return_value() == "nothing new"
    assert skipped.get_meta()["clock_outcome"] == {"kind": "skipped"}
    assert skipped.get_meta()["clock"]["event"] == EVENT
    assert "clock_outcome" not in finished.get_meta()
    assert not Job.exists(at_once.id, connection=redis)


def test_a_job_that_is_retried_too_often_keeps_its_last_reason(
    redis: Redis, start_worker: StartWorker
) -> None:
    job = enqueue_occurrence(redis, "again")
    start_worker("--burst").process.wait(timeout=20)
    result = job.latest_result()
    assert result is not None
    assert "not tried again after 10 attempts: not yet" in str(result.exc_string)


def test_outcomes_of_the_settings_map_exceptions(
    redis: Redis, start_worker: StartWorker, work_folder: Path
) -> None:
    _settings(
        work_folder,
        "from clock.jobs import Abort",
        "OUTCOMES = {'work.fail': {ValueError: Abort}}",
        "MIDDLEWARE = ['clock.worker.middleware.log_lines']",
    )
    job = enqueue_occurrence(redis, "fail", retry=Retry(3))
    worker = start_worker("--burst", "-c", "settings")
    worker.process.wait(timeout=20)
    assert job.get_status() == JobStatus.FAILED
    assert _ends(read_runs(redis, "clock", EVENT)) == [(F, "ValueError", 1)]
    (line,) = worker.lines("job ended")
    assert "outcome=failed error=ValueError" in line


def test_middleware_wraps_the_job_in_the_order_of_the_settings(
    redis: Redis, start_worker: StartWorker, work_folder: Path
) -> None:
    (work_folder / "around.py").write_text(
        "def _say(text):\n"
        "    with open('order.txt', 'a') as file: file.write(text + ' ')\n"
        "def outer(job, call_next):\n"
        "    _say('outer'); result = call_next(); _say('/outer'); return result + 100\n"
        "def inner(job, call_next):\n"
        "    _say('inner'); result = call_next(); _say('/inner'); return result * 2\n"
        "def broken(job, call_next):\n"
        "    raise LookupError('in the middleware')\n"
    )
    _settings(work_folder, "MIDDLEWARE = ['around.outer', 'around.inner']")
    job = enqueue_occurrence(redis, "add", 1, 2)
    start_worker("--burst", "-c", "settings").process.wait(timeout=20)
    assert (work_folder / "order.txt").read_text().split() == ["outer", "inner", "/inner", "/outer"]
    assert job.return_value() == 106

    _settings(work_folder, "MIDDLEWARE = ['around.broken']")
    failed = enqueue_occurrence(redis, "add", 1, 2, retry=Retry(1))
    start_worker("--burst", "-c", "settings").process.wait(timeout=20)
    assert failed.get_status() == JobStatus.FAILED
    assert _ends(read_runs(redis, "clock", EVENT))[:2] == [
        (F, "LookupError", 2),
        (R, "LookupError", 1),
    ]


def test_the_shipped_middleware_logs_what_ran_and_how_long(
    redis: Redis, start_worker: StartWorker, work_folder: Path
) -> None:
    shipped = ["clock.worker.middleware.log_lines", "clock.worker.middleware.timing"]
    _settings(work_folder, f"MIDDLEWARE = {shipped}")
    job = enqueue_occurrence(redis, "nap", 0.1)
    enqueue_occurrence(redis, "skip")
    worker = start_worker("--burst", "-c", "settings")
    worker.process.wait(timeout=20)
    start, end, timing = (
        _fields(worker.lines(message)[0]) for message in ("job starts", "job ended", "job timing")
    )
    assert start["event"] == end["event"] == timing["event"] == EVENT
    assert start["scheduled_at"] == "2026-11-21T03:00:00Z"
    assert start["job"] == end["job"] == job.id
    assert end["outcome"] == "succeeded"
    assert 0.1 <= float(end["took"]) < 2
    assert float(timing["cpu"]) < float(timing["took"])
    assert "outcome=skipped" in worker.lines("job ended")[1]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("MIDDLEWARE = ['nowhere.at_all']", "MIDDLEWARE names 'nowhere.at_all'"),
        ("MIDDLEWARE = ['work.nothing']", "MIDDLEWARE names 'work.nothing'"),
        (
            "MIDDLEWARE = ['work.__name__']",
            "MIDDLEWARE names 'work.__name__', which is not callable",
        ),
        ("GRACE = 'soon'", "GRACE='soon'"),
        ("OUTCOMES = {'work.fail': {ValueError: 7}}", "OUTCOMES of work.fail: 7"),
    ],
)
def test_invalid_settings_are_one_line_and_stop_the_start(
    start_worker: StartWorker, work_folder: Path, line: str, message: str
) -> None:
    _settings(work_folder, line)
    worker = start_worker("-c", "settings")
    assert worker.process.wait(timeout=20) == 2
    (printed,) = worker.output().splitlines()
    assert message in printed


def test_the_serializer_of_the_settings_is_used_unless_another_is_given(
    redis: Redis, start_worker: StartWorker, work_folder: Path
) -> None:
    _settings(work_folder, "SERIALIZER = 'json'")
    written = Queue("json", connection=redis, serializer="json").enqueue("work.add", 1, 2)
    pickled = Queue("pickle", connection=redis).enqueue("work.add", 3, 4)
    start_worker("--burst", "-c", "settings", "json").process.wait(timeout=20)
    start_worker("--burst", "-c", "settings", "-S", "pickle", "pickle").process.wait(timeout=20)
    assert written.return_value() == 3
    assert pickled.return_value() == 7


def test_a_clock_s_occurrences_are_recorded_with_their_lateness(
    redis: Redis, start_worker: StartWorker, start_clock: StartClock, write_schedule: WriteSchedule
) -> None:
    clock = start_clock(write_schedule("every('1 second', 'work.add', args=[1, 2], name='often')"))
    worker = start_worker()
    runs = wait_for(
        "three runs",
        lambda: (runs_so_far := read_runs(redis, "clock", "often"))[2:] and runs_so_far,
    )
    assert clock.stop() == 0
    worker.stop()
    assert [run.scheduled for run in runs] == sorted((run.scheduled for run in runs), reverse=True)
    for run in runs:
        assert run.lateness is not None
        assert 0 <= run.lateness < 1
        assert run.outcome is RunOutcome.SUCCEEDED
    assert {run.job for run in runs}.isdisjoint(job.job_id for job in fired(redis))


def _settings(folder: Path, *lines: str) -> None:
    (folder / "settings.py").write_text("\n".join(lines) + "\n")
    for cached in folder.glob("__pycache__/settings.*"):
        cached.unlink()


def _ends(runs: list[Run]) -> Ends:
    return [(run.outcome, run.error, run.attempt) for run in runs]


def _fields(line: str) -> Mapping[str, str]:
    return dict(part.split("=", 1) for part in line.split() if "=" in part)
