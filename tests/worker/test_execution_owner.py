"""Whose an execution is."""

from __future__ import annotations

import pytest
from redis import Redis
from rq import Queue
from rq.executions import Execution

from clock import keys
from clock.connection import rq_keys
from clock.worker.abandoned import find_abandoned
from clock.worker.execution_owner import OwnedExecution
from clock.worker.heartbeat import send_heartbeats


@pytest.fixture
def owned(redis: Redis) -> OwnedExecution:
    """A job that the child ``w1.token`` runs."""
    job = Queue("default", connection=redis).enqueue("work.x")
    with redis.pipeline() as pipeline:
        execution = Execution.create(job, 90, pipeline)
        job.prepare_for_execution("w1", pipeline)
        pipeline.hset(execution.key, keys.OWNER, "w1.token")
        pipeline.execute()
    return OwnedExecution(
        job=job.id,
        execution=execution.id,
        queue="default",
        began=execution.created_at,
        owner="w1.token",
        text="here 1",
    )


def is_overtaken(redis: Redis, owned: OwnedExecution) -> bool:
    answer = send_heartbeats(
        redis,
        name="w1",
        owner="w1.worker",
        text="here 1",
        worker_ttl=480,
        children=[("w1.other", None), ("w1.token", owned)],
        may_reap=False,
    )
    assert answer.overtaken in ([], [owned.execution])
    return bool(answer.overtaken)


def test_its_worker_may_end_it_and_lives_long_enough_for_that(
    redis: Redis, owned: OwnedExecution
) -> None:
    redis.delete(keys.heartbeat("w1.token"))
    assert owned.may_end(redis)
    assert redis.ttl(keys.heartbeat("w1.token")) > keys.HEARTBEAT_TTL - 2


def test_nobody_may_end_what_another_worker_has_or_has_ended(
    redis: Redis, owned: OwnedExecution
) -> None:
    redis.hset(rq_keys.execution(owned.entry), keys.OWNER, "w2.token")
    redis.delete(keys.heartbeat("w1.token"))
    assert not owned.may_end(redis)
    redis.delete(rq_keys.execution(owned.entry))
    redis.zrem("rq:wip:default", owned.entry)
    assert not owned.may_end(redis)
    assert redis.exists(keys.heartbeat("w1.token")) == 0


def test_a_late_heartbeat_of_rq_gives_back_no_right_to_end(
    redis: Redis, owned: OwnedExecution
) -> None:
    redis.delete(rq_keys.execution(owned.entry))
    redis.zrem("rq:wip:default", owned.entry)
    redis.hset(rq_keys.execution(owned.entry), "last_heartbeat", "1")
    assert not owned.may_end(redis)


def test_an_execution_that_rq_forgot_while_the_server_was_away_is_known_again(
    redis: Redis, owned: OwnedExecution
) -> None:
    redis.delete(rq_keys.execution(owned.entry), keys.heartbeat("w1.token"))
    assert owned.may_end(redis)
    assert not is_overtaken(redis, owned)
    again = Execution.fetch(owned.execution, owned.job, connection=redis)
    assert abs((again.created_at - owned.began).total_seconds()) < 0.001
    assert 0 < redis.ttl(rq_keys.execution(owned.entry)) <= 90
    # RQ's own limit has passed by then; the worker's sign of life is what counts.
    assert find_abandoned(redis, [], 10**10) == []


def test_it_is_overtaken_once_that_very_execution_was_taken(
    redis: Redis, owned: OwnedExecution
) -> None:
    job = f"rq:job:{owned.job}"
    redis.hset(job, keys.OVERTAKEN, "an earlier one")
    assert not is_overtaken(redis, owned)
    redis.hset(job, keys.OVERTAKEN, owned.execution)
    assert is_overtaken(redis, owned)


def test_a_heartbeat_revives_no_execution_that_has_ended(
    redis: Redis, owned: OwnedExecution
) -> None:
    redis.delete(rq_keys.execution(owned.entry))
    redis.zrem("rq:wip:default", owned.entry)
    assert not is_overtaken(redis, owned)
    assert redis.exists(rq_keys.execution(owned.entry)) == 0
