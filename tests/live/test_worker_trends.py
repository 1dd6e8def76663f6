"""What workers count of the runs that end."""

from __future__ import annotations

import time
from typing import Any

import pytest
from redis import Redis
from rq import Queue, Retry

from clock.observe.trends import Bucket, Of, Span, read_trends
from tests.live.conftest import StartWorker
from tests.live.granted import APP, address, grant, lines_of
from tests.live.server import Server
from tests.live.waiting import wait_for
from tests.live.worker_tasks import EVENT, enqueue_occurrence


def total(redis: Redis, of: Of, name: str, app: str = "clock") -> Bucket:
    """What is counted of today and yesterday; a test may begin before midnight."""
    trend = read_trends(redis, app, of, [name], Span.WEEK, time.time())[name]
    return trend.total


def ended(redis: Redis, of: Of, name: str, app: str = "clock") -> tuple[int, int]:
    counted = total(redis, of, name, app)
    return counted.done, counted.failed


@pytest.mark.parametrize(
    "environ", [{}, {"CLOCK_ISOLATION": "job"}, {"CLOCK_PROCESSES": "2"}], ids=str
)
def test_every_job_that_ends_is_counted_once(
    redis: Redis, start_worker: StartWorker, environ: dict[str, str]
) -> None:
    queue = Queue(connection=redis)
    # First: a child that dies loses what it has counted in the last moment.
    enqueue_occurrence(redis, "kill_itself")
    for _ in range(30):
        enqueue_occurrence(redis, "add", 1, 2)
        queue.enqueue("work.add", 1, 2)
    for task, retry in (("skip", 0), ("fail", 0), ("fail", 1), ("abort", 3)):
        enqueue_occurrence(redis, task, retry=Retry(retry) if retry else None)
    queue.enqueue("work.fail")
    queue.enqueue("work.add", 1, 2, depends_on=queue.enqueue("work.add", 1, 2), result_ttl=0)
    worker = start_worker("--burst", **environ)
    assert worker.process.wait(timeout=30) == 0, worker.output()
    # The second of them was retried first, which is no end.
    assert ended(redis, Of.EVENT, EVENT) == (31, 4)
    assert ended(redis, Of.QUEUE, "default") == (63, 5)


def test_how_long_jobs_waited_is_the_time_until_they_began(
    redis: Redis, start_worker: StartWorker
) -> None:
    job = enqueue_occurrence(redis, "nap", 0.5)
    start_worker("--burst").process.wait(timeout=15)
    job.refresh()  # type: ignore[no-untyped-call]
    assert job.started_at is not None
    assert job.enqueued_at is not None
    counted = total(redis, Of.QUEUE, "default")
    assert counted.wait is not None
    assert counted.wait == pytest.approx(
        (job.started_at - job.enqueued_at).total_seconds(), abs=0.1
    )


def test_what_ended_just_before_a_long_wait_is_counted_soon(
    redis: Redis, start_worker: StartWorker
) -> None:
    worker = start_worker()
    for _ in range(50):
        enqueue_occurrence(redis, "add", 1, 2)
    wait_for("all are counted", lambda: ended(redis, Of.EVENT, EVENT) == (50, 0))
    worker.stop()


def test_jobs_that_run_side_by_side_are_counted(redis: Redis, start_worker: StartWorker) -> None:
    queue = Queue(connection=redis)
    for _ in range(20):
        queue.enqueue("asyncio.sleep", 0.01)
    queue.enqueue("asyncio.sleep", "x")
    start_worker("--burst").process.wait(timeout=15)
    assert ended(redis, Of.QUEUE, "default") == (20, 1)


def test_a_job_whose_worker_was_killed_counts_as_failed(
    redis: Redis, start_worker: StartWorker
) -> None:
    enqueue_occurrence(redis, "kill_worker")
    start_worker().process.wait(timeout=15)
    other = start_worker()
    wait_for("it is counted", lambda: ended(redis, Of.EVENT, EVENT) == (0, 1), within=40)
    other.stop()


def test_a_worker_with_the_rights_of_the_first_release_counts_nothing_and_works(
    server: Server, redis: Redis, start_worker: StartWorker
) -> None:
    (line,) = lines_of("worker")
    grant(redis, line._replace(rules=[rule for rule in line.rules if "trends" not in rule]))
    jobs: list[Any] = [enqueue_occurrence(redis, task) for task in ("skip", "fail")]
    worker = start_worker("--burst", url=address(server.url, "worker"), CLOCK_APP=APP)
    assert worker.process.wait(timeout=20) == 0
    assert [job.get_status() for job in jobs] == ["finished", "failed"]
    assert ended(redis, Of.EVENT, EVENT, APP) == (0, 0)
    assert not worker.lines("trouble")
