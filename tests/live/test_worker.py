"""What a real RQ worker makes of the jobs a clock enqueued."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis import Redis
from rq.job import Job, JobStatus

from tests.live.conftest import StartClock, WriteSchedule
from tests.live.jobs import Fired, fired
from tests.live.server import Server
from tests.live.waiting import wait_for
from tests.live.worker import work_off

WORK = """
from pathlib import Path
from rq import get_current_job

def add(a, b=0):
    return a + b

def note(job, connection, result):
    with open("noted.txt", "a") as file:
        file.write(f"{job.id} {result}\\n")

def _tries():
    with open(get_current_job().id, "a") as file:
        file.write("try\\n")
    return len(Path(get_current_job().id).read_text().splitlines())

def fail_once():
    if _tries() == 1:
        raise RuntimeError("the first try")
    return "the second try"

def fail_always():
    _tries()
    raise RuntimeError("every try")

def mourn(job, connection, kind, error, trace):
    with open("mourned.txt", "a") as file:
        file.write(f"{job.id} {error}\\n")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the worker finds its tasks."""
    (tmp_path / "work.py").write_text(WORK)
    return tmp_path


def test_a_worker_runs_the_job_with_its_arguments_callbacks_and_retries(
    folder: Path,
    server: Server,
    redis: Redis,
    write_schedule: WriteSchedule,
    start_clock: StartClock,
) -> None:
    file = write_schedule(
        "every('1 second', 'work.add', args=[40], kwargs={'b': 2}, on_success='work.note')",
        "every('1 second', 'work.fail_once', retry=1, queue='other')",
        "every('1 second', 'work.fail_always', retry=2, on_failure='work.mourn')",
    )
    jobs = _enqueued_by_a_clock(redis, start_clock, file, events=3)
    printed = work_off(folder, server.url, "default", "other")

    added, saved, lost = (jobs[name] for name in ("work.add", "work.fail_once", "work.fail_always"))
    assert _job(redis, added).return_value() == 42
    assert f"{added.job_id} 42\n" in (folder / "noted.txt").read_text()
    assert _job(redis, saved).return_value() == "the second try"
    assert _job(redis, lost).get_status() == JobStatus.FAILED, printed
    assert (folder / lost.job_id).read_text().splitlines() == ["try"] * 3
    assert f"{lost.job_id} every try\n" in (folder / "mourned.txt").read_text()


def test_a_job_carries_its_occurrence_in_its_meta_while_it_runs_and_afterwards(
    folder: Path,
    server: Server,
    redis: Redis,
    write_schedule: WriteSchedule,
    start_clock: StartClock,
) -> None:
    (folder / "tell.py").write_text(
        "from rq import get_current_job\ndef meta():\n    return get_current_job().meta\n"
    )
    begin = time.time()
    file = write_schedule("every('1 second', 'tell.meta', name='tell', meta={'team': 'ops'})")
    job = _enqueued_by_a_clock(redis, start_clock, file, events=1)["tell"]
    work_off(folder, server.url, "default")

    meta = _job(redis, job).return_value()
    assert meta == _job(redis, job).meta
    assert meta["team"] == "ops"
    assert set(meta) == {"team", "clock"}
    occurrence = meta["clock"]
    assert occurrence["event"] == "tell"
    assert occurrence["previous_scheduled_at"] is None
    scheduled, enqueued = (
        datetime.fromisoformat(occurrence[key]) for key in ("scheduled_at", "enqueued_at")
    )
    assert scheduled.tzinfo == enqueued.tzinfo == UTC
    assert begin - 1 < scheduled.timestamp() <= enqueued.timestamp() <= time.time()
    assert _job(redis, job).enqueued_at == enqueued


def _enqueued_by_a_clock(
    redis: Redis, start_clock: StartClock, file: Path, *, events: int
) -> dict[str, Fired]:
    """The first job of each event, enqueued by a clock that has ended."""
    clock = start_clock(file)
    wait_for("every event fires", lambda: len({job.event for job in fired(redis)}) == events)
    assert clock.stop() == 0
    return {job.event: job for job in reversed(fired(redis))}


def _job(redis: Redis, occurrence_job: Fired) -> Job:
    return Job.fetch(occurrence_job.job_id, connection=redis)
