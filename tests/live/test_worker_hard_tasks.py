"""Tasks that do to their process what a task should not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue, Retry
from rq.job import Job, JobStatus

from tests.live.conftest import StartWorker
from tests.live.processes import children_of, needs_proc
from tests.live.server import Server
from tests.live.waiting import wait_for
from tests.live.worker_process import WorkerProcess, is_alive, worker_environment

pytestmark = needs_proc

TASKS = """
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from rq import get_current_job

from clock.worker import Worker


class Handled(Worker):
    def handle_work_horse_killed(self, *arguments):
        raise RuntimeError("the handler")


def add(a, b):
    return a + b


def note(text):
    with open("noted.txt", "a") as file:
        file.write(f"{text}\\n")


def start_a_subprocess_and_stay():
    subprocess_of()
    time.sleep(300)


def segfault():
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(code):
    os._exit(code)


def leave_after_a_subprocess(code):
    subprocess_of()
    os._exit(code)


def subprocess_of():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    note(process.pid)


def eat_memory():
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**27, hard))
    try:
        bytearray(2**30)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def deaf():
    note("begin")
    while True:
        try:
            time.sleep(60)
        except BaseException:
            note("deaf")


def close_everything():
    os.closerange(3, 4096)
    return "closed"


def close_everything_and_fail():
    os.closerange(0, 4096)
    raise ValueError("closed")


def fork_a_daemon():
    if os.fork() == 0:
        os.setsid()
        note(os.getpid())
        time.sleep(2)
        sys.exit(3)
    return "daemon"


def fork_and_exit():
    pid = os.fork()
    if pid == 0:
        sys.exit(3)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def fork_and_fail():
    pid = os.fork()
    if pid == 0:
        raise ValueError("in the fork")
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def numbers():
    yield 1


async def async_numbers():
    yield 1


def lock():
    return threading.Lock()


def delete_itself():
    job = get_current_job()
    job.connection.delete(job.key)
    return "deleted"


def delete_itself_properly():
    get_current_job().delete()
    return "deleted"


def poison_itself():
    job = get_current_job()
    job.connection.hset(job.key, "created_at", "yesterday")
    os._exit(1)
"""

SOON = "import clock.worker.engine\nclock.worker.engine.SLACK = 0.5\n"
"""Settings by which a child is killed half a second after a time limit that it did not heed."""


@pytest.fixture
def worker(redis: Redis, work_folder: Path, start_worker: StartWorker) -> WorkerProcess:
    (work_folder / "hard.py").write_text(TASKS)
    (work_folder / "settings.py").write_text(SOON)
    return start_worker("-c", "settings")


@pytest.fixture
def queue(redis: Redis) -> Queue:
    return Queue("default", connection=redis)


def _wait_for_end(job: Job) -> JobStatus:
    ended = {JobStatus.FINISHED, JobStatus.FAILED}
    wait_for("the job ends", lambda: job.get_status() in ended)
    return job.get_status()


def _reason(job: Job) -> str:
    result = job.latest_result()
    assert result is not None
    return result.exc_string or ""


def _assert_goes_on(worker: WorkerProcess, queue: Queue) -> None:
    """The worker runs jobs as before, and nothing of the last one is left."""
    last = queue.enqueue("hard.add", 1, 2)
    assert _wait_for_end(last) is JobStatus.FINISHED
    assert worker.process.poll() is None, worker.output()
    assert queue.connection.zcard("rq:wip:default") == 0
    assert worker.stop() < 5


@pytest.mark.parametrize(
    ("task", "arguments", "reason"),
    [
        ("segfault", (), "its process was killed by SIGSEGV"),
        ("leave", (0,), "its process ended by itself with exit code 0"),
        ("leave", (1,), "its process ended by itself with exit code 1"),
        ("leave", (64,), "its process ended by itself with exit code 64"),
        ("eat_memory", (), "MemoryError"),
        ("numbers", (), "generator"),
        ("async_numbers", (), "generator"),
        ("lock", (), "cannot pickle"),
        ("close_everything_and_fail", (), "ValueError: closed"),
    ],
)
def test_a_task_that_ends_badly_fails_with_the_reason(
    queue: Queue, worker: WorkerProcess, task: str, arguments: tuple[int, ...], reason: str
) -> None:
    job = queue.enqueue(f"hard.{task}", args=arguments)
    assert _wait_for_end(job) is JobStatus.FAILED
    assert reason in _reason(job)
    _assert_goes_on(worker, queue)


def test_a_handler_that_raises_ends_no_worker(
    queue: Queue, work_folder: Path, start_worker: StartWorker
) -> None:
    (work_folder / "hard.py").write_text(TASKS)
    worker = start_worker("-w", "hard.Handled")
    job = queue.enqueue("hard.leave", 1)
    assert _wait_for_end(job) is JobStatus.FAILED
    assert "RuntimeError: the handler" in worker.output()
    _assert_goes_on(worker, queue)


def test_a_job_whose_process_dies_is_retried_as_often_as_it_may_be(
    queue: Queue, worker: WorkerProcess
) -> None:
    job = queue.enqueue("hard.leave", 0, retry=Retry(2))
    assert _wait_for_end(job) is JobStatus.FAILED
    job = Job.fetch(job.id, connection=queue.connection)
    assert job.number_of_retries == 2
    _assert_goes_on(worker, queue)


@pytest.mark.parametrize(
    ("task", "result"),
    [
        ("close_everything", "closed"),
        ("fork_a_daemon", "daemon"),
        ("fork_and_exit", 3),
        ("fork_and_fail", 1),
    ],
)
def test_a_task_that_returns_has_succeeded_whatever_else_it_did(
    queue: Queue, worker: WorkerProcess, task: str, result: object
) -> None:
    job = queue.enqueue(f"hard.{task}")
    assert _wait_for_end(job) is JobStatus.FINISHED, worker.output()
    assert job.return_value() == result
    _assert_goes_on(worker, queue)


def test_a_task_that_cannot_be_interrupted_is_killed_after_its_time_limit(
    queue: Queue, worker: WorkerProcess
) -> None:
    job = queue.enqueue("hard.deaf", job_timeout=1)
    assert _wait_for_end(job) is JobStatus.FAILED
    assert "Task exceeded maximum timeout value (1 seconds)" in _reason(job)
    assert len(worker.lines("killed")) == 1
    _assert_goes_on(worker, queue)


def test_the_lease_of_a_child_that_died_is_free_at_once(
    redis: Redis, queue: Queue, worker: WorkerProcess
) -> None:
    limited = {"max_running": 1}
    dies = queue.enqueue("hard.leave", 1, meta=limited)
    then = queue.enqueue("hard.leave", 2, meta=limited)
    for job in (dies, then):
        assert _wait_for_end(job) is JobStatus.FAILED
    wait_for("the leases are given back", lambda: not redis.exists("clock:clock:limits"), within=5)
    _assert_goes_on(worker, queue)


@pytest.mark.parametrize("task", ["delete_itself", "delete_itself_properly"])
def test_a_job_that_is_deleted_while_it_runs_stays_deleted(
    redis: Redis, queue: Queue, worker: WorkerProcess, task: str
) -> None:
    job = queue.enqueue(f"hard.{task}")
    _assert_goes_on(worker, queue)
    names = [key.decode() for key in redis.scan_iter(f"*{job.id}*")]
    assert names == []
    assert redis.zscore("rq:finished:default", job.id) is None


def test_a_job_with_an_unreadable_hash_fails_and_ends_no_worker(
    redis: Redis, queue: Queue, worker: WorkerProcess
) -> None:
    dies = queue.enqueue("hard.poison_itself")
    _wait_until_failed(redis, dies)
    with redis.pipeline() as pipeline:
        waits = queue.enqueue("hard.add", 1, 2, pipeline=pipeline)
        pipeline.hset(waits.key, "created_at", "yesterday")
        pipeline.execute()
    _wait_until_failed(redis, waits)
    assert "yesterday" in _reason(waits)
    _assert_goes_on(worker, queue)


def _wait_until_failed(redis: Redis, job: Job) -> None:
    wait_for("it has failed", lambda: redis.zscore("rq:failed:default", job.id) is not None)
    assert redis.hget(job.key, "status") == b"failed"


@pytest.mark.parametrize("code", [0, 1, 64])
def test_what_a_task_has_started_ends_with_a_process_that_it_ends(
    queue: Queue, worker: WorkerProcess, work_folder: Path, code: int
) -> None:
    job = queue.enqueue("hard.leave_after_a_subprocess", code)
    assert _wait_for_end(job) is JobStatus.FAILED
    pid = int((work_folder / "noted.txt").read_text())
    wait_for("its subprocess ends", lambda: not is_alive(pid))


@pytest.mark.parametrize("victim", ["worker", "fork server", "child"])
def test_what_a_task_has_started_ends_with_a_process_that_is_killed(
    queue: Queue, worker: WorkerProcess, work_folder: Path, victim: str
) -> None:
    queue.enqueue("hard.start_a_subprocess_and_stay")
    noted = work_folder / "noted.txt"
    wait_for("the subprocess runs", lambda: noted.exists() and noted.read_text())
    parent = worker.process.pid
    (fork_server,) = children_of(parent)
    (child,) = children_of(fork_server)
    victims = {"worker": parent, "fork server": fork_server, "child": child}
    os.kill(victims[victim], signal.SIGKILL)
    wait_for("the task ends", lambda: not is_alive(child))
    wait_for("its subprocess ends", lambda: not is_alive(int(noted.read_text())))
    if victim != "child":
        assert worker.process.wait(timeout=10) not in {0, None}


EXECUTE = """
import sys

from redis import Redis
from rq import Queue

from clock.worker import Worker

connection = Redis.from_url(sys.argv[1])
queue = Queue("default", connection=connection)
worker = Worker([queue], connection=connection)
while queue.job_ids:
    job, _ = Queue.dequeue_any([queue], None, connection=connection)
    worker.execute_job(job, queue)
print("done")
"""


def test_execute_job_runs_a_job_without_work(
    server: Server, redis: Redis, queue: Queue, work_folder: Path
) -> None:
    (work_folder / "hard.py").write_text(TASKS)
    tasks = ["add", "segfault", "numbers", "fork_and_exit"]
    jobs = [queue.enqueue(f"hard.{task}", args=(1, 2) if task == "add" else ()) for task in tasks]
    ended = subprocess.run(
        [sys.executable, "-c", EXECUTE, server.url],
        cwd=work_folder,
        env=worker_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stdout.endswith("done\n"), ended.stdout + ended.stderr
    statuses = [job.get_status() for job in jobs]
    assert statuses == [
        *(JobStatus.FINISHED, JobStatus.FAILED, JobStatus.FAILED, JobStatus.FINISHED)
    ], ended.stderr
    assert [jobs[0].return_value(), jobs[3].return_value()] == [3, 3]
    assert redis.zcard("rq:wip:default") == 0
