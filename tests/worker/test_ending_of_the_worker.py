"""What a worker remembers of why it ended."""

from __future__ import annotations

from contextlib import suppress

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from rq.exceptions import StopRequested

from clock.worker import Worker


def _fail(worker: Worker, error: Exception) -> None:
    with worker._failures():
        raise error


def test_an_error_that_ends_the_worker_is_remembered(redis: Redis) -> None:
    worker, error = Worker(["default"], connection=redis), RuntimeError("no")
    with suppress(RuntimeError):
        _fail(worker, error)
    assert worker._failure is error


def test_an_error_that_rq_recovers_from_is_forgotten(redis: Redis) -> None:
    worker = Worker(["default"], connection=redis)
    with worker._failures(), suppress(RedisConnectionError):
        _fail(worker, RedisConnectionError("away for a moment"))
    assert worker._failure is None


def test_a_stop_after_such_an_error_is_a_stop(redis: Redis) -> None:
    worker = Worker(["default"], connection=redis)
    with suppress(StopRequested), worker._failures():
        with suppress(RedisConnectionError):
            _fail(worker, RedisConnectionError("away for a moment"))
        raise StopRequested
    assert worker._failure is None
