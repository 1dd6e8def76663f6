"""Workers of ours and of RQ's as processes, and how fast they end jobs."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from subprocess import Popen

from redis import Redis
from rq import Queue

from benchmarks.process import running, wait_for
from benchmarks.server import AT_ONCE, server

OURS = "clock.worker.Worker"
FORKING = "rq.Worker"
SIMPLE = "rq.SimpleWorker"

FINISHED = "rq:finished:default"

RESULT_TTL = 60
"""Seconds for which results are kept."""


@contextmanager
def worker(
    kind: str, url: str, *arguments: str, environ: Mapping[str, str] | None = None
) -> Iterator[Popen[bytes]]:
    """A worker of the class ``kind`` while the block runs; its queue is ``default``, unless
    ``arguments`` name others.
    """
    command = [sys.executable, "-m", "rq.cli", "worker", "--quiet", "-w", kind, "-u", url]
    with running(*command, *arguments, environ=environ) as process:
        yield process


def wait_until_idle(connection: Redis, count: int = 1) -> None:
    """Wait until ``count`` workers are registered and wait for jobs. Raises TimeoutError."""

    def are_idle() -> bool:
        names = connection.smembers("rq:workers")
        return len(names) == count and all(
            connection.hget(name, "state") == b"idle" for name in names
        )

    wait_for("the workers are idle", are_idle, pause=0.01)


def enqueue(
    connection: Redis, count: int, task: Callable[..., object] = math.floor, argument: object = 1.5
) -> None:
    """Put ``count`` jobs on ``default``."""
    queue = Queue(connection=connection)
    data = Queue.prepare_data(task, args=(argument,), result_ttl=RESULT_TTL)
    for start in range(0, count, AT_ONCE):
        queue.enqueue_many([data] * min(AT_ONCE, count - start))


def seconds_a_job(
    kind: str,
    count: int,
    task: Callable[..., object] = math.floor,
    argument: object = 1.5,
    environ: Mapping[str, str] | None = None,
) -> float:
    """How long each of ``count`` jobs takes a worker; one in ten more comes first, unmeasured."""
    unmeasured = max(1, count // 10)
    with server() as url, Redis.from_url(url) as connection:
        enqueue(connection, count + unmeasured, task, argument)

        def finished() -> int:
            return int(connection.zcard(FINISHED))

        with worker(kind, url, environ=environ):
            wait_for("the first jobs have ended", lambda: finished() >= unmeasured)
            first, begin = finished(), time.perf_counter()
            total = count + unmeasured
            wait_for("all jobs have ended", lambda: finished() >= total, pause=0.002)
            return (time.perf_counter() - begin) / (total - first)
