"""``max_running`` and ``unique`` with four workers at once, of which one is killed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis
from rq.job import Job

from clock.jobs import Handle, JobFailedError, Status, enqueue
from tests.live.rq_worker import RQWorker
from tests.live.server import Server
from tests.live.waiting import wait_for

LIMIT = 2

WORK = """
import os
import time

from clock.jobs import Skip, progress

def worker():
    # The parent of the process that forked this one.
    with open(f"/proc/{os.getppid()}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[1])

def note(what, name):
    with open("noted.txt", "a") as file:
        file.write(f"{what} {name} {worker()} {time.time()}\\n")

def stay(name, seconds):
    note("begin", name)
    time.sleep(seconds)
    note("end", name)
    return name

def tell():
    for done in range(8):
        progress(done, 10)

def skip():
    raise Skip("nothing new")
"""

StartWorkers = Callable[[int], dict[int, RQWorker]]


@dataclass(frozen=True, slots=True)
class Note:
    """What a task wrote down: ``what`` it did, as which job, in which worker, when."""

    what: str
    name: str
    worker: int
    at: float


@pytest.fixture
def folder(tmp_path: Path, server: Server) -> Path:
    """Where workers find their tasks and settings."""
    (tmp_path / "work.py").write_text(WORK)
    (tmp_path / "settings.py").write_text(
        f"REDIS_URL = {server.url!r}\nMAX_RUNNING = {{'work.stay': {LIMIT}}}\n"
    )
    (tmp_path / "noted.txt").touch()
    return tmp_path


@pytest.fixture
def start_workers(server: Server, folder: Path) -> Iterator[StartWorkers]:
    """Start workers of ours, by their process ids; none outlives the test."""
    workers: dict[int, RQWorker] = {}

    def start(count: int) -> dict[int, RQWorker]:
        for _ in range(count):
            worker = RQWorker(
                folder, server.url, "-w", "clock.worker.Worker", "-c", "settings", "high", "default"
            )
            workers[worker.pid] = worker
        return workers

    yield start
    for worker in workers.values():
        worker.clean_up()
        print(worker.output())  # noqa: T201


def _notes(folder: Path) -> list[Note]:
    *whole, _cut = (folder / "noted.txt").read_text().split("\n")
    fields = (line.split() for line in whole)
    return [Note(what, name, int(pid), float(at)) for what, name, pid, at in fields]


def _lease_ends(redis: Redis, handle: Handle) -> float:
    """When the lease of a job of ``work.stay`` ends, in UTC seconds since 1970."""
    expiry = redis.hget("clock:clock:running:work.stay", handle.id)
    assert expiry is not None
    return int(expiry.split()[0]) / 1000


def _most_at_once(notes: list[Note]) -> int:
    running: set[str] = set()
    most = 0
    for note in notes:
        if note.what == "begin":
            running.add(note.name)
            most = max(most, len(running))
        else:
            running.discard(note.name)
    return most


def test_four_workers_run_as_many_at_once_as_the_limit_says_and_all_in_the_end(
    redis: Redis, folder: Path, start_workers: StartWorkers
) -> None:
    names = [f"job-{number}" for number in range(14)]
    handles = [enqueue("work.stay", args=[name, 0.15], id=name, connection=redis) for name in names]
    free = enqueue("work.skip", connection=redis)
    tells = enqueue("work.tell", connection=redis)
    start_workers(4)
    assert [handle.result(40) for handle in handles] == names
    assert free.result(5) == "nothing new"
    assert free.status() is Status.SKIPPED
    assert tells.result(5) is None
    progress = tells.progress()
    assert progress is not None
    assert progress.done == 7

    notes = _notes(folder)
    assert _most_at_once(notes) == LIMIT
    assert sorted(note.name for note in notes if note.what == "begin") == sorted(names)
    assert not redis.exists("clock:clock:held:work.stay", "rq:scheduled:default")
    for handle in handles:
        job = Job.fetch(handle.id, connection=redis)
        assert job.number_of_retries is None
    wait_for("the leases are given back", lambda: not redis.exists("clock:clock:limits"))


@pytest.mark.long
def test_the_slot_and_the_lock_of_a_killed_worker_are_free_again(
    redis: Redis, folder: Path, start_workers: StartWorkers
) -> None:
    def enqueue_unique() -> Handle:
        return enqueue(
            "work.stay", args=["long", 300], unique="unfinished", timeout=600, connection=redis
        )

    workers = start_workers(4)
    doomed = enqueue_unique()
    other = enqueue("work.stay", args=["other", 300], timeout=600, connection=redis)
    wait_for("both run", lambda: len(_notes(folder)) == LIMIT)
    first_lease = _lease_ends(redis, other)
    held = [
        enqueue("work.stay", args=[f"held-{number}", 0.1], connection=redis) for number in range(3)
    ]
    wait_for("the others are held", lambda: redis.zcard("clock:clock:held:work.stay") == 3)
    assert {handle.status() for handle in held} == {Status.WAITING}
    assert not enqueue_unique().is_new

    (worker,) = (note.worker for note in _notes(folder) if note.name == "long")
    killed = time.time()
    workers[worker].kill()
    assert [handle.result(60) for handle in held] == ["held-0", "held-1", "held-2"]
    with pytest.raises(JobFailedError):
        doomed.result(60)
    assert time.time() - killed < 60
    assert enqueue_unique().is_new

    assert other.status() is Status.RUNNING
    assert _lease_ends(redis, other) > first_lease + 5
    after = [note for note in _notes(folder) if note.name.startswith("held")]
    assert _most_at_once(after) == LIMIT - 1
