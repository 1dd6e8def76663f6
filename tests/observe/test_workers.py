"""Who listens on a queue."""

from __future__ import annotations

import pytest
from redis import Redis
from rq import Worker

from clock.observe.workers import count_workers


def test_workers_are_counted_by_the_queues_they_listen_on(redis: Redis) -> None:
    Worker(["io", "default"], connection=redis, name="one").register_birth()  # type: ignore[no-untyped-call]
    Worker(["io"], connection=redis, name="two").register_birth()  # type: ignore[no-untyped-call]
    assert count_workers(redis, ["io", "default", "none", "io"]) == {
        "io": 2,
        "default": 1,
        "none": 0,
    }


def test_a_worker_that_was_killed_counts_no_more_and_nothing_is_cleaned_up(redis: Redis) -> None:
    Worker(["io"], connection=redis, name="one").register_birth()  # type: ignore[no-untyped-call]
    redis.delete("rq:worker:one")
    assert count_workers(redis, ["io"]) == {"io": 0}
    assert redis.smembers("rq:workers:io") == {b"rq:worker:one"}


@pytest.mark.parametrize("queues", [[], ["none"]])
def test_where_no_queue_has_a_worker_nothing_is_counted(redis: Redis, queues: list[str]) -> None:
    assert count_workers(redis, queues) == dict.fromkeys(queues, 0)
