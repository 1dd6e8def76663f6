"""``clock.jobs`` with real workers, clocks and servers that go away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from redis import Redis
from rq import RateLimit, Repeat
from rq.group import Group

from clock.errors import (
    EnqueueError,
    JobExpiredError,
    JobFailedError,
    JobServerError,
    JobUnknownError,
)
from clock.jobs import Handle, Progress, Status, enqueue, enqueue_many
from clock.jobs.options import EnqueueOptions
from tests.live.conftest import StartClock, WriteSchedule
from tests.live.jobs import fired
from tests.live.rq_worker import RQWorker
from tests.live.server import Server
from tests.live.waiting import wait_for

WORK = """
import time
from rq import get_current_job
from clock import jobs

def count(total, pause):
    for _ in jobs.track(range(total), message="counting"):
        time.sleep(pause)
    return total

def fail():
    raise LookupError("no such feed")

def tell():
    found = jobs.current()
    return [found.event, found.scheduled_at.isoformat(), found.attempt]

def note(job, connection):
    connection.set("stopped", job.id)

def add(key):
    return get_current_job().connection.incr(key)

def ask(_occurrence):
    jobs.call("work.count", args=[1, 0])

def ask_later(_occurrence):
    return jobs.enqueue("work.count", args=[1, 0], queue="other", unique="1h").is_new
"""

StartWorker = Callable[..., RQWorker]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where workers find their tasks."""
    (tmp_path / "work.py").write_text(WORK)
    return tmp_path


@pytest.fixture
def start_worker(server: Server, folder: Path) -> Iterator[StartWorker]:
    """Start RQ's own workers on this test's server; none outlives the test."""
    workers: list[RQWorker] = []

    def start(*arguments: str) -> RQWorker:
        workers.append(RQWorker(folder, server.url, *arguments))
        return workers[-1]

    yield start
    for worker in workers:
        worker.clean_up()
        print(worker.output())  # noqa: T201


def test_progress_is_read_in_another_process_while_the_job_runs(
    redis: Redis, start_worker: StartWorker
) -> None:
    handle = enqueue("work.count", args=[70, 0.05], connection=redis)
    assert handle.progress() is None
    start_worker()
    seen: list[Progress] = []

    def is_over() -> bool:
        progress = handle.progress()
        if progress is not None and progress not in seen and handle.status() is Status.RUNNING:
            seen.append(progress)
        return handle.status() is Status.FINISHED

    wait_for("the job ends", is_over)
    assert len(seen) >= 3
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)
    assert all(progress.total == 70 and progress.message == "counting" for progress in seen)
    assert any(0 < progress.done < 70 for progress in seen)
    pauses = [b.at - a.at for a, b in pairwise(seen) if b.done != b.total]
    assert all(pause.total_seconds() > 0.5 for pause in pauses)
    last = handle.progress()
    assert last is not None
    assert last.fraction == 1


def test_every_status_of_a_job_is_read(redis: Redis, start_worker: StartWorker) -> None:
    runs = enqueue("work.count", args=[30, 0.05], connection=redis)
    late = enqueue("work.count", args=[1, 0], expires=1, connection=redis)
    fails = enqueue("work.fail", connection=redis)
    delayed = enqueue("work.count", args=[1, 0], delay="1h", connection=redis)
    forgotten = enqueue("work.count", args=[1, 0], result_ttl=0, connection=redis)
    assert {handle.status() for handle in (runs, late, fails, delayed)} == {Status.WAITING}

    start_worker()
    wait_for("the first one runs", lambda: runs.status() is Status.RUNNING)
    assert fails.status() is Status.WAITING
    assert runs.result(20) == 30
    assert runs.status() is Status.FINISHED
    assert late.status() is Status.EXPIRED
    with pytest.raises(JobExpiredError):
        late.result(0)
    with pytest.raises(JobFailedError, match="LookupError: no such feed"):
        fails.result(20)
    assert fails.status() is Status.FAILED
    with pytest.raises(JobUnknownError):
        forgotten.result(20)
    assert forgotten.status() is Status.UNKNOWN
    assert delayed.status() is Status.WAITING
    assert Handle("nobody", redis).status() is Status.UNKNOWN


BOTH_WORKERS = pytest.mark.parametrize("worker", ["rq.Worker", "clock.worker.Worker"])


@BOTH_WORKERS
def test_a_job_that_runs_is_stopped_and_not_retried(
    worker: str, redis: Redis, start_worker: StartWorker
) -> None:
    handle = enqueue(
        "work.count", args=[600, 0.05], retry=2, on_stopped="work.note", connection=redis
    )
    start_worker("-w", worker)
    wait_for("it runs", lambda: handle.status() is Status.RUNNING)
    assert not handle.cancel()
    assert handle.stop()
    with pytest.raises(JobFailedError):
        handle.result(20)
    wait_for("its callback", lambda: redis.get("stopped") == handle.id.encode())
    assert not handle.stop()


@BOTH_WORKERS
def test_jobs_that_depend_on_others_repeat_and_are_limited_all_run(
    worker: str, redis: Redis, start_worker: StartWorker
) -> None:
    limited_one: EnqueueOptions = {"args": ["limited"], "rate_limit": RateLimit("shop", 1)}
    first, then, repeated, *limited = enqueue_many(
        [
            ("work.add", {"args": ["a"], "id": "first", "group": "g"}),
            ("work.count", {"args": [2, 0], "depends_on": "first", "group": "g"}),
            ("work.add", {"args": ["repeated"], "repeat": Repeat(times=2)}),
            *[("work.add", limited_one)] * 3,
        ],
        connection=redis,
    )
    assert {job.id for job in Group.fetch("g", redis).get_jobs()} == {first.id, then.id}
    start_worker("-w", worker)
    assert then.result(20) == 2
    assert first.status() is Status.FINISHED
    wait_for("the repeats", lambda: redis.get("repeated") == b"3")
    assert sorted(handle.result(20) for handle in limited) == [1, 2, 3]
    wait_for("the last repeat ends", lambda: repeated.status() is Status.FINISHED)


def test_a_job_knows_its_occurrence_under_rqs_own_worker(
    redis: Redis,
    write_schedule: WriteSchedule,
    start_clock: StartClock,
    start_worker: StartWorker,
) -> None:
    clock = start_clock(write_schedule("every('1 second', 'work.tell', name='tell')"))
    job = wait_for("it fires", lambda: fired(redis))[0]
    clock.stop()
    start_worker()
    event, scheduled_at, attempt = Handle(job.job_id, redis).result(20)
    assert (event, attempt) == ("tell", 1)
    assert scheduled_at.endswith("+00:00")


def test_a_server_that_is_stopped_is_one_clear_error_at_the_deadline(server: Server) -> None:
    with Redis.from_url(server.url) as connection:
        before = enqueue("work.count", connection=connection)
        server.suspend()
        begin = time.monotonic()
        with pytest.raises(EnqueueError) as caught:
            enqueue("work.count", id="it", deadline=0.5, connection=connection)
        assert 0.49 < time.monotonic() - begin < 1.5
        assert "did not answer within 0.5 s" in str(caught.value)
        with pytest.raises(JobServerError, match="did not answer within 5 s"):
            before.status()

        server.resume()
        again = enqueue("work.count", id=caught.value.job_id, connection=connection)
        assert again.status() is Status.WAITING
        assert connection.lrange("rq:queue:default", 0, -1).count(b"it") == 1


def test_a_server_that_is_gone_is_one_clear_error_at_once(server: Server) -> None:
    server.stop()
    begin = time.monotonic()
    with (
        Redis.from_url(server.url) as connection,
        pytest.raises(EnqueueError, match=r"work\.count was not enqueued: .*refused"),
    ):
        enqueue("work.count", connection=connection)
    assert time.monotonic() - begin < 1


def test_a_condition_that_calls_a_job_is_refused_and_the_clock_goes_on(
    redis: Redis, folder: Path, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    file = write_schedule(
        "import work",
        "every('1 second', 'work.count', name='asks', if_=work.ask)",
        "every('1 second', 'work.count', name='goes on')",
    )
    clock = start_clock(file)
    trouble = clock.wait_for_line("trouble")
    assert "WaitRefusedError: the clock must not wait for jobs" in str(trouble)
    wait_for("the others go on", lambda: len(fired(redis, "goes on")) >= 2)
    clock.stop()
    assert {job.event for job in fired(redis)} == {"goes on"}


def test_a_condition_may_enqueue(
    redis: Redis,
    server: Server,
    folder: Path,
    write_schedule: WriteSchedule,
    start_clock: StartClock,
) -> None:
    file = write_schedule(
        "import work", "every('1 second', 'work.count', name='e', if_=work.ask_later)"
    )
    clock = start_clock(file)
    wait_for("a later one is left out", lambda: clock.lines("skipped"))
    clock.stop()
    assert redis.llen("rq:queue:other") == 1


def test_a_schedule_file_that_calls_a_job_is_refused_at_load(
    folder: Path, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    clock = start_clock(write_schedule("import work", "work.ask(None)"))
    wait_for("it ends", lambda: "WaitRefusedError" in clock.log())
