"""Jobs that are deleted while they run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis
from rq import Callback, Queue, Repeat, Retry, get_current_job
from rq.job import Dependency, Job
from rq.utils import as_text

from clock.jobs.rq_versions import IS_RQ_2
from clock.runs.records import read_runs
from clock.runs.run import RunOutcome
from clock.worker import Worker

NAME = "worker-of-the-test"

META = {"clock": {"event": "e", "scheduled_at": "2026-11-21T03:00:00Z"}}


def delete() -> None:
    """Delete the job that runs, as an application does."""
    job = get_current_job()
    assert job is not None
    Job.fetch(job.id, connection=job.connection).delete()


def lose() -> None:
    """Delete its hash alone, as a server does that is full."""
    job = get_current_job()
    assert job is not None
    job.connection.delete(job.key)


def succeed(vanish: Callable[[], None] = lose) -> str:
    vanish()
    return "said"


def fail(vanish: Callable[[], None] = lose) -> None:
    vanish()
    raise ValueError("no")


def save_meta_and_fail(vanish: Callable[[], None] = lose) -> None:
    vanish()
    job = get_current_job()
    assert job is not None
    job.save_meta()  # type: ignore[no-untyped-call]
    raise ValueError("no")


async def fail_async(vanish: Callable[[], None] = lose) -> None:
    fail(vanish)


def ask_again(vanish: Callable[[], None] = lose) -> Retry:
    vanish()
    return Retry(max=3)


def say() -> str:
    return "said"


def note_success(job: Job, connection: Redis, result: Any) -> None:
    connection.set("called back", "success")


def note_failure(job: Job, connection: Redis, *error: Any) -> None:
    connection.set("called back", "failure")


KINDS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "succeeds": (succeed, {}),
    "succeeds, with a callback": (succeed, {"on_success": Callback(note_success)}),
    "succeeds, to be repeated": (succeed, {"repeat": Repeat(times=2)}),
    "fails": (fail, {}),
    "fails, with a callback": (fail, {"on_failure": Callback(note_failure)}),
    "fails, with retries": (fail, {"retry": Retry(2)}),
    "fails, with retries later": (fail, {"retry": Retry(2, interval=60)}),
    "fails, with a part of its hash": (save_meta_and_fail, {}),
    "fails on the event loop": (fail_async, {"retry": Retry(2)}),
    "asks to be run again": (ask_again, {}),
}


@pytest.fixture
def queue(redis: Redis) -> Queue:
    """The queue of the worker."""
    return Queue("default", connection=redis)


def run(queue: Queue) -> None:
    worker = Worker([queue], name=NAME, connection=queue.connection)
    worker.work(burst=True, logging_level="CRITICAL")


@pytest.mark.parametrize("kind", KINDS)
def test_it_stays_deleted_and_its_run_is_recorded(queue: Queue, kind: str) -> None:
    task, options = KINDS[kind]
    queue.enqueue(task, job_id="one", meta=META, **options)
    run(queue)
    assert_gone(queue)
    (record,) = read_runs(queue.connection, "clock", "e")
    is_success = task is succeed
    assert record.outcome is (RunOutcome.SUCCEEDED if is_success else RunOutcome.FAILED)
    callback = {"on_success", "on_failure"} & options.keys()
    called_back = b"success" if is_success else b"failure"
    assert queue.connection.get("called back") == (called_back if callback else None)
    fields = ("successful_job_count", "failed_job_count")
    counted = queue.connection.hmget(f"rq:worker:{NAME}", fields)
    assert counted == ([b"1", None] if is_success else [None, b"1"])


@pytest.mark.parametrize("kind", KINDS.keys() - {"fails, with a part of its hash"})
def test_it_stays_deleted_where_rq_deleted_it(queue: Queue, kind: str) -> None:
    task, options = KINDS[kind]
    queue.enqueue(task, delete, job_id="one", **options)
    run(queue)
    assert_gone(queue)


def assert_gone(queue: Queue) -> None:
    left = [key for key in queue.connection.scan_iter("rq:*") if "one" in as_text(key).split(":")]
    assert left == []
    assert queue.job_ids == []
    for registry in ("wip", "finished", "failed", "scheduled"):
        assert queue.connection.exists(f"rq:{registry}:default") == 0


@pytest.mark.parametrize("task", [succeed, fail])
def test_what_depends_on_it_runs(queue: Queue, task: Any) -> None:
    lost = queue.enqueue(task, job_id="one")
    after = queue.enqueue(say, depends_on=Dependency([lost], allow_failure=True))
    run(queue)
    assert after.return_value() == "said"
    assert queue.connection.exists(lost.key) == 0


@pytest.mark.skipif(IS_RQ_2, reason="RQ 2 has no rate limits")
def test_its_place_under_a_rate_limit_goes_to_the_next(queue: Queue) -> None:
    from rq.rate_limit import RateLimit

    limit = RateLimit(key="r", concurrency=1)
    queue.enqueue(fail, job_id="one", rate_limit=limit)
    after = queue.enqueue(say, rate_limit=limit)
    run(queue)
    assert after.return_value() == "said"
