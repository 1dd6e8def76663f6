"""Other task queues with one process and a Redis broker, for comparison."""

from __future__ import annotations

import importlib
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from redis import Redis

from benchmarks.faults.program import CLOCK
from benchmarks.peers import ADDRESS, COUNTED
from benchmarks.process import running, wait_for
from benchmarks.server import server


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskQueue:
    """``application`` is a module of ``benchmarks.peers``, ``command`` starts its worker, and
    ``guarantee`` says what becomes of a job whose worker is killed.
    """

    name: str
    application: str
    command: Sequence[str]
    guarantee: str


TASK_QUEUES = (
    TaskQueue(
        name="Celery, prefork",
        application="with_celery",
        command=[
            *("celery", "-A", "benchmarks.peers.with_celery", "worker"),
            *("--pool", "prefork", "--concurrency", "1", "--loglevel", "error"),
        ],
        guarantee="lost: acknowledged before it runs",
    ),
    TaskQueue(
        name="Dramatiq",
        application="with_dramatiq",
        command=[
            *("dramatiq", "benchmarks.peers.with_dramatiq"),
            *("--processes", "1", "--threads", "1"),
        ],
        guarantee="requeued after a minute; no record of its end",
    ),
    TaskQueue(
        name="Huey",
        application="with_huey",
        command=[
            *("huey.bin.huey_consumer", "benchmarks.peers.with_huey.app"),
            *("--workers", "1", "--worker-type", "process"),
        ],
        guarantee="lost: taken from the queue before it runs",
    ),
    TaskQueue(
        name="SAQ",
        application="with_saq",
        command=["saq", "benchmarks.peers.with_saq.settings"],
        guarantee="retried after its timeout, where it has retries",
    ),
)


def task_queues(count: int) -> Iterator[str]:
    """A line for each that is installed."""
    yield "other task queues, one process, a job that counts itself, jobs a second:"
    for queue in TASK_QUEUES:
        try:
            importlib.import_module(queue.command[0].partition(".")[0])
        except ImportError:
            yield f"  {queue.name}: not installed"
        else:
            rate = _rate(queue, count)
            yield f"  {queue.name}: {rate:,.0f}; a job whose worker is killed is {queue.guarantee}"


def _rate(queue: TaskQueue, count: int) -> float:
    unmeasured = max(1, count // 10)
    total = count + unmeasured
    with server() as url, Redis.from_url(url) as connection:
        subprocess.run(
            [sys.executable, "-m", "benchmarks.peers", queue.application, str(total)],
            env={**CLOCK.environment(), ADDRESS: url},
            check=True,
            capture_output=True,
        )

        def counted() -> int:
            return int(connection.get(COUNTED) or 0)

        with running(sys.executable, "-m", *queue.command, environ={ADDRESS: url}):
            wait_for("the first jobs have ended", lambda: counted() >= unmeasured)
            first, begin = counted(), time.perf_counter()
            wait_for("all jobs have ended", lambda: counted() >= total, pause=0.002)
            return (total - first) / (time.perf_counter() - begin)
