"""The thread of RQ's that waits for commands ends with its worker."""

from __future__ import annotations

from redis import Redis
from rq import Queue

from clock.worker import Worker


def test_it_ends_before_the_worker_does_and_is_not_waited_for_in_vain(redis: Redis) -> None:
    left: list[bool] = []
    for _ in range(5):
        worker = Worker([Queue("default", connection=redis)], connection=redis)
        worker.work(burst=True, logging_level="CRITICAL")
        assert worker.pubsub_thread is not None
        left.append(worker.pubsub_thread.is_alive())
    assert left == [False] * 5
