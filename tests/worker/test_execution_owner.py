"""Whose a job in hand is."""

from __future__ import annotations

import pytest
from redis import Redis
from rq import Queue
from rq.executions import Execution

from clock import keys
from clock.worker.abandoned import find_abandoned
from clock.worker.execution_owner import Hand


@pytest.fixture
def hand(redis: Redis) -> Hand:
    """A job in the hand of the worker ``w1.token``."""
    job = Queue("default", connection=redis).enqueue("work.x")
    with redis.pipeline() as pipeline:
        execution = Execution.create(job, 90, pipeline)
        job.prepare_for_execution("w1", pipeline)
        pipeline.execute()
    hand = Hand(job, execution, worker="w1.token", value="here 1")
    hand.begin(redis)
    return hand


def test_its_worker_may_end_it_and_lives_long_enough_for_that(redis: Redis, hand: Hand) -> None:
    redis.delete(keys.heartbeat("w1.token"))
    assert hand.may_end(redis)
    assert redis.ttl(keys.heartbeat("w1.token")) > keys.HEARTBEAT_TTL - 2


def test_nobody_may_end_what_another_worker_has_or_has_ended(redis: Redis, hand: Hand) -> None:
    redis.hset(hand.execution.key, keys.OWNER, "w2.token")
    redis.delete(keys.heartbeat("w1.token"))
    assert not hand.may_end(redis)
    redis.delete(hand.execution.key)
    redis.zrem("rq:wip:default", hand.execution.composite_key)
    assert not hand.may_end(redis)
    assert redis.exists(keys.heartbeat("w1.token")) == 0


def test_a_late_heartbeat_of_rq_gives_back_no_right_to_end(redis: Redis, hand: Hand) -> None:
    redis.delete(hand.execution.key)
    redis.zrem("rq:wip:default", hand.execution.composite_key)
    redis.hset(hand.execution.key, "last_heartbeat", "1")
    assert not hand.may_end(redis)


def test_an_execution_that_rq_forgot_while_the_server_was_away_is_known_again(
    redis: Redis, hand: Hand
) -> None:
    redis.delete(hand.execution.key, keys.heartbeat("w1.token"))
    assert hand.may_end(redis)
    assert not hand.is_overtaken(redis)
    again = Execution.fetch(hand.execution.id, hand.job, connection=redis)
    assert abs((again.created_at - hand.execution.created_at).total_seconds()) < 0.001
    assert 0 < redis.ttl(hand.execution.key) <= 90
    # RQ's own limit has passed by then; the worker's sign of life is what counts.
    assert find_abandoned(redis, [], 10**10) == []


def test_it_is_overtaken_once_that_very_execution_was_taken(redis: Redis, hand: Hand) -> None:
    job = f"rq:job:{hand.job}"
    redis.hset(job, keys.OVERTAKEN, "an earlier one")
    assert not hand.is_overtaken(redis)
    redis.hset(job, keys.OVERTAKEN, hand.execution.id)
    assert hand.is_overtaken(redis)


def test_a_sign_of_life_revives_no_execution_that_has_ended(redis: Redis, hand: Hand) -> None:
    redis.delete(hand.execution.key)
    redis.zrem("rq:wip:default", hand.execution.composite_key)
    assert not hand.is_overtaken(redis)
    assert redis.exists(hand.execution.key) == 0
