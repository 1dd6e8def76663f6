"""How long a killed worker is still counted."""

from __future__ import annotations

import signal

import pytest
from redis import Redis

from clock import keys
from clock.observe.rq.queues import read_queues
from clock.observe.rq.workers import count_workers, read_workers
from tests.live.conftest import StartWorker
from tests.live.waiting import wait_for


@pytest.mark.long
def test_a_killed_worker_is_not_counted_once_its_heartbeat_expired(
    redis: Redis, start_worker: StartWorker
) -> None:
    worker = start_worker("io")
    worker.wait_until_listening()
    wait_for("it is counted", lambda: count_workers(redis, ["io"]) == {"io": 1})
    assert [queue.workers for queue in read_queues(redis, 0.0, ["io"])] == [1]
    worker.process.send_signal(signal.SIGKILL)
    worker.process.wait()
    wait_for(
        "it is not counted any more",
        lambda: count_workers(redis, ["io"]) == {"io": 0},
        within=keys.HEARTBEAT_TTL + 4,
    )
    assert [queue.workers for queue in read_queues(redis, 0.0, ["io"])] == [0]
    assert read_workers(redis) == []
    # RQ itself remembers it for minutes.
    assert redis.smembers("rq:workers:io") == {b"rq:worker:worker-1"}
    assert redis.exists("rq:worker:worker-1")
