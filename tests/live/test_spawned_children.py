"""A worker whose children are new interpreters, as they are on macOS."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue, Retry
from rq.command import send_stop_job_command
from rq.job import Job, JobStatus

from clock.runs.records import read_runs
from clock.runs.run import RunOutcome
from tests.live.processes import children_of, needs_proc
from tests.live.server import Server
from tests.live.waiting import wait_for
from tests.live.worker_process import WorkerProcess, is_alive
from tests.live.worker_tasks import EVENT, enqueue_occurrence

pytestmark = needs_proc

COMMAND = (
    sys.executable,
    "-c",
    "from clock.worker import start_method; start_method.SPAWNS = True\n"
    "from rq.cli import main; main(prog_name='rq')",
    "worker",
)
"""RQ's command, with workers that believe to be on macOS."""

TASKS = """
import asyncio
import logging
import os
import time
from pathlib import Path

from clock.jobs import current
from clock.jobs.target import find_target
from clock.worker import Stopping, Worker


class Labelled(Worker):
    pass


def was_only_forked():
    # The kernel's flag of a process that was forked and has not become another program.
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    return bool(int(fields[6]) & 0x40)


def note(text):
    with open("noted.txt", "a") as file:
        file.write(f"{text} {os.getpid()} {was_only_forked()}\\n")


def add(a, b):
    note("add")
    return a + b


def wait(name):
    note("begin")
    try:
        while not Path(name).exists():
            time.sleep(0.01)
    except Stopping:
        note("stopped")
        raise
    return os.getpid()


async def wait_async(name):
    note("begin")
    while not Path(name).exists():
        await asyncio.sleep(0.01)
    return current().event


def around(job, call_next):
    note("around")
    return call_next()


def fail():
    raise ValueError("no")


def handle(job, kind, error, trace):
    note(f"handled-{kind.__name__}")
    return True


def say():
    logging.getLogger("mine").info("said by the task")
    return find_target().app
"""

StartSpawning = Callable[..., WorkerProcess]


@pytest.fixture
def start(server: Server, tmp_path: Path) -> Iterator[StartSpawning]:
    """Start workers whose children are spawned; none outlives the test."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "work.py").write_text(TASKS)
    workers: list[WorkerProcess] = []

    def begin(*arguments: str, kind: str = "clock.worker.Worker", **environ: str) -> WorkerProcess:
        worker = WorkerProcess(
            folder,
            server.url,
            *("-w", kind, *arguments),
            name=f"worker-{len(workers) + 1}",
            environ=environ,
            command=COMMAND,
        )
        workers.append(worker)
        return worker

    yield begin
    for worker in workers:
        worker.clean_up()
        sys.stdout.write(f"--- {worker.name}\n{worker.output()}")


@pytest.fixture
def queue(redis: Redis) -> Queue:
    """The queue of the workers."""
    return Queue("default", connection=redis)


def test_jobs_run_one_after_the_other_in_a_process_that_was_not_only_forked(
    queue: Queue, redis: Redis, start: StartSpawning
) -> None:
    jobs = [queue.enqueue("work.add", number, 1) for number in range(3)]
    scheduled = enqueue_occurrence(redis, "add", 3, 1)
    worker = start("--burst")
    assert worker.process.wait(timeout=20) == 0, worker.output()
    assert [job.return_value() for job in (*jobs, scheduled)] == [1, 2, 3, 4]
    assert [run.outcome for run in read_runs(redis, "clock", EVENT)] == [RunOutcome.SUCCEEDED]
    pids, only_forked = zip(*_noted(worker, "add"), strict=True)
    assert len(set(pids)) == 1
    assert set(only_forked) == {"False"}


def test_with_isolation_each_job_has_a_process_of_its_own(
    queue: Queue, start: StartSpawning
) -> None:
    jobs = [queue.enqueue("work.add", number, 1) for number in range(3)]
    worker = start("--burst", CLOCK_ISOLATION="job")
    assert worker.process.wait(timeout=20) == 0, worker.output()
    assert [job.return_value() for job in jobs] == [1, 2, 3]
    pids, only_forked = zip(*_noted(worker, "add"), strict=True)
    assert len(set(pids)) == 3
    assert set(only_forked) == {"False"}


def test_a_child_that_is_killed_fails_its_job_alone_and_another_takes_its_place(
    queue: Queue, start: StartSpawning
) -> None:
    dies, lives = queue.enqueue("work.wait", "dies"), queue.enqueue("work.wait", "lives")
    worker = start(CLOCK_PROCESSES="2")
    wait_for("both run", lambda: len(_noted(worker, "begin")) == 2)
    os.kill(int(_noted(worker, "begin")[0][0]), signal.SIGKILL)
    wait_for("one has failed", lambda: JobStatus.FAILED in _statuses(dies, lives))
    failed, other = sorted((dies, lives), key=lambda job: job.get_status() != JobStatus.FAILED)
    assert "its process was killed by SIGKILL" in str(failed.latest_result().exc_string)  # type: ignore[union-attr]
    again = queue.enqueue("work.add", 1, 2)
    wait_for("the next is done", lambda: again.get_status() == JobStatus.FINISHED)
    assert other.get_status() == JobStatus.STARTED
    for name in ("dies", "lives"):
        (worker.out.parent / name).touch()
    wait_for("the other is done", lambda: other.get_status() == JobStatus.FINISHED)


def test_after_a_stop_a_job_has_its_grace_and_is_told_then(
    queue: Queue, start: StartSpawning
) -> None:
    job = queue.enqueue("work.wait", "never", retry=Retry(1))
    worker = start(CLOCK_GRACE="1")
    wait_for("it runs", lambda: _noted(worker, "begin"))
    assert 1 <= worker.stop() < 4
    assert job.get_status() == JobStatus.QUEUED
    assert len(_noted(worker, "stopped")) == 1
    assert [len(worker.lines(line)) for line in ("stopping", "told", "killed")] == [1, 1, 0]


def test_an_idle_worker_stops_at_once(start: StartSpawning) -> None:
    worker = start()
    worker.wait_until_listening()
    wait_for("its child runs", lambda: _children(worker))
    assert worker.stop() < 4


def test_async_jobs_run_side_by_side_and_one_of_them_is_stopped_alone(
    queue: Queue, redis: Redis, start: StartSpawning
) -> None:
    one, two = (enqueue_occurrence(redis, "wait_async", "released") for _ in range(2))
    worker = start()
    wait_for("both run", lambda: len(_noted(worker, "begin")) == 2)
    assert len(set(_noted(worker, "begin"))) == 1
    assert _noted(worker, "begin")[0][1] == "False"
    send_stop_job_command(redis, one.id)
    wait_for("one is stopped", lambda: one.get_status() == JobStatus.STOPPED)
    (worker.out.parent / "released").touch()
    wait_for("the other is done", lambda: two.get_status() == JobStatus.FINISHED)
    assert two.return_value() == EVENT


def test_a_stopped_job_ends_with_its_process(
    queue: Queue, redis: Redis, start: StartSpawning
) -> None:
    job = queue.enqueue("work.wait", "never")
    worker = start()
    wait_for("it runs", lambda: _noted(worker, "begin"))
    send_stop_job_command(redis, job.id)
    wait_for("it is stopped", lambda: job.get_status() == JobStatus.STOPPED)
    ((pid, _),) = _noted(worker, "begin")
    wait_for("its process is gone", lambda: not is_alive(int(pid)))


def test_a_child_knows_the_workers_class_settings_handlers_and_logging(
    queue: Queue, redis: Redis, start: StartSpawning, tmp_path: Path
) -> None:
    (tmp_path / "app" / "mine.py").write_text(
        'MIDDLEWARE = ["work.around"]\n'
        'SERIALIZER = "json"\nAPP = "shop"\n'
        'MAX_RUNNING = {"work.say": 1}\n'
        'DICT_CONFIG = {"version": 1, "disable_existing_loggers": False,\n'
        '    "handlers": {"out": {"class": "logging.StreamHandler"}},\n'
        '    "loggers": {"mine": {"handlers": ["out"], "level": "INFO"}}}\n'
    )
    json = Queue("default", connection=redis, serializer="json")
    failed, logs = json.enqueue("work.fail"), json.enqueue("work.say")
    worker = start(
        *("-c", "mine", "--exception-handler", "work.handle", "--burst"), kind="work.Labelled"
    )
    assert worker.process.wait(timeout=20) == 0, worker.output()
    assert _statuses(failed, logs) == [JobStatus.FAILED, JobStatus.FINISHED]
    assert logs.return_value() == "shop"
    assert len(_noted(worker, "around")) == 2
    assert len(_noted(worker, "handled-ValueError")) == 1
    assert "said by the task" in worker.output()


def test_a_module_of_preload_that_cannot_be_imported_ends_the_worker_with_one_line(
    start: StartSpawning, tmp_path: Path
) -> None:
    (tmp_path / "app" / "mine.py").write_text('PRELOAD = ["nowhere"]\n')
    worker = start("-c", "mine")
    assert worker.process.wait(timeout=20) == 2
    assert "PRELOAD names 'nowhere': ModuleNotFoundError" in worker.output()
    assert "Traceback" not in worker.output()


def test_what_cannot_be_passed_to_a_new_process_is_one_line(
    start: StartSpawning, tmp_path: Path
) -> None:
    work = tmp_path / "app" / "work.py"
    work.write_text(TASKS + "\n\nhandle = (lambda: lambda *arguments: True)()\n")
    worker = start("--exception-handler", "work.handle")
    assert worker.process.wait(timeout=20) == 2
    assert "cannot be passed all it needs" in worker.output()
    assert "Traceback" not in worker.output()


def test_the_children_die_with_their_worker(queue: Queue, start: StartSpawning) -> None:
    queue.enqueue("work.wait", "never")
    worker = start()
    wait_for("it runs", lambda: _noted(worker, "begin"))
    ((pid, _),) = _noted(worker, "begin")
    worker.kill()
    wait_for("its child is gone", lambda: not is_alive(int(pid)))


def _noted(worker: WorkerProcess, what: str) -> list[tuple[str, str]]:
    """The process of each note, and whether it was only forked."""
    file = worker.out.parent / "noted.txt"
    lines = file.read_text().splitlines() if file.exists() else []
    words = [line.split() for line in lines]
    return [(pid, forked) for text, pid, forked in words if text == what]


def _statuses(*jobs: Job) -> list[JobStatus]:
    return [job.get_status() for job in jobs]


def _children(worker: WorkerProcess) -> list[int]:
    (server,) = children_of(worker.process.pid)
    return children_of(server)
