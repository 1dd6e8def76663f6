"""Jobs worked off in this process, and the tasks they name."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from typing import Any

from redis import Redis
from rq import Queue
from rq.executions import Execution
from rq.job import Job

from clock import jobs
from tests.simple_worker import SimpleWorker


def work_off(redis: Redis, *queues: str) -> None:
    """Let RQ's own worker run all that is on the queues, in this process."""
    found = [Queue(name, connection=redis) for name in queues or ("default",)]
    SimpleWorker(found, connection=redis).work(burst=True, logging_level="CRITICAL")


@contextmanager
def running_here(job: Job) -> Iterator[None]:
    """Let the block be a part of ``job``, as RQ sees it."""
    from rq.job import _current_job  # not in RQ 2

    token = _current_job.set(job)
    try:
        yield
    finally:
        _current_job.reset(token)


def start(redis: Redis, job_id: str, worker: str = "worker") -> Execution:
    """What a worker does when it begins a job."""
    job = Job.fetch(job_id, connection=redis)
    redis.lrem(f"rq:queue:{job.origin}", 1, job_id)
    # RQ 2.9 does not keep whose an execution is.
    named: Any = {"worker_name": worker} if WORKER_IS_KEPT else {}
    with redis.pipeline() as pipeline:
        execution = Execution.create(job, ttl=90, pipeline=pipeline, **named)
        job.prepare_for_execution(worker, pipeline)
        pipeline.execute()
    return execution


WORKER_IS_KEPT = "worker_name" in signature(Execution.create).parameters


def say(word: Any = "done") -> Any:
    return word


def fail() -> None:
    raise ValueError("no such feed")


def fail_once(key: str) -> str:
    if _SEEN.setdefault(key, 0) == 0:
        _SEEN[key] += 1
        raise ValueError("the first try")
    return "the second try"


_SEEN: dict[str, int] = {}


def current() -> list[Any]:
    found = jobs.current()
    if found is None:
        return []
    return [found.event, found.scheduled_at, found.previous_scheduled_at, found.attempt]


def tell(*calls: Any) -> None:
    for call in calls:
        jobs.progress(*call)


def count(items: list[int]) -> int:
    return sum(jobs.track(items, message="counting"))


def slow_count(items: list[float]) -> None:
    for seconds in jobs.track(items):
        time.sleep(seconds)


def call_another() -> None:
    jobs.call("tests.jobs.working.say")


def enqueue_another() -> str:
    return jobs.enqueue("tests.jobs.working.say").id
