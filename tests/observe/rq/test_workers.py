"""Who listens on a queue."""

from __future__ import annotations

import pytest
from redis import Redis
from rq import Worker

from clock import keys
from clock.observe.rq.queues import read_queues
from clock.observe.rq.workers import count_workers, read_workers


def test_workers_are_counted_by_the_queues_they_listen_on(redis: Redis) -> None:
    Worker(["io", "default"], connection=redis, name="one").register_birth()  # type: ignore[no-untyped-call]
    Worker(["io"], connection=redis, name="two").register_birth()  # type: ignore[no-untyped-call]
    assert count_workers(redis, ["io", "default", "none", "io"]) == {
        "io": 2,
        "default": 1,
        "none": 0,
    }


def test_a_killed_worker_is_not_counted_and_nothing_is_cleaned_up(redis: Redis) -> None:
    Worker(["io"], connection=redis, name="one").register_birth()  # type: ignore[no-untyped-call]
    redis.delete("rq:worker:one")
    assert count_workers(redis, ["io"]) == {"io": 0}
    assert redis.smembers("rq:workers:io") == {b"rq:worker:one"}


@pytest.mark.parametrize("queues", [[], ["none"]])
def test_where_no_queue_has_a_worker_nothing_is_counted(redis: Redis, queues: list[str]) -> None:
    assert count_workers(redis, queues) == dict.fromkeys(queues, 0)


def test_a_worker_of_ours_without_a_heartbeat_is_not_counted_anywhere(redis: Redis) -> None:
    for name in ("alive", "dead"):
        Worker(["io"], connection=redis, name=name).register_birth()  # type: ignore[no-untyped-call]
        redis.hset(f"rq:worker:{name}", keys.OWNER, f"{name}.token")
    redis.set(keys.heartbeat("alive.token"), "here 1", ex=keys.HEARTBEAT_TTL)
    # Another process under the name of the dead one does not keep it alive.
    redis.set(keys.heartbeat("dead.other"), "here 2", ex=keys.HEARTBEAT_TTL)
    assert count_workers(redis, ["io"]) == {"io": 1}
    assert [queue.workers for queue in read_queues(redis, 0.0, ["io"])] == [1]
    assert [worker.name for worker in read_workers(redis)] == ["alive"]


def test_a_worker_of_rq_needs_no_heartbeat_of_ours(redis: Redis) -> None:
    Worker(["io"], connection=redis, name="one").register_birth()  # type: ignore[no-untyped-call]
    assert count_workers(redis, ["io"]) == {"io": 1}
    assert [worker.name for worker in read_workers(redis)] == ["one"]
