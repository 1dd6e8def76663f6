"""Several jobs at once: all in one transaction, or none."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job

from clock.errors import EnqueueError
from clock.jobs import Status, enqueue_many
from tests.jobs.working import work_off
from tests.live.port import free_port

SAY = "tests.jobs.working.say"


def test_the_handles_are_in_the_order_of_the_jobs(redis: Redis) -> None:
    handles = enqueue_many([(SAY, {"args": [number]}) for number in range(5)], connection=redis)
    assert Queue(connection=redis).get_job_ids() == [handle.id for handle in handles]
    work_off(redis)
    assert [handle.result(0) for handle in handles] == [0, 1, 2, 3, 4]


def test_jobs_go_to_the_server_in_one_transaction(redis: Redis) -> None:
    enqueue_many([(SAY, {})], connection=redis)
    redis.config_resetstat()
    enqueue_many([(SAY, {})] * 50, connection=redis)
    commands = redis.info("commandstats")
    assert commands["cmdstat_exec"]["calls"] == 1
    assert commands["cmdstat_evalsha"]["calls"] == 50


def test_a_job_may_depend_on_one_before_it(redis: Redis) -> None:
    first, then = enqueue_many(
        [(SAY, {"id": "first"}), (SAY, {"depends_on": "first", "queue": "then"})], connection=redis
    )
    assert Job.fetch(then.id, connection=redis).get_status() == "deferred"
    work_off(redis)
    assert first.status() is Status.FINISHED
    work_off(redis, "then")
    assert then.status() is Status.FINISHED


def test_unique_jobs_are_there_once_among_the_others_too(redis: Redis) -> None:
    handles = enqueue_many([(SAY, {"unique": "waiting"})] * 2, connection=redis)
    assert [handle.is_new for handle in handles] == [True, False]
    assert handles[0] == handles[1]


def test_of_no_jobs_nothing_is_sent() -> None:
    with Redis(port=free_port()) as connection:
        assert enqueue_many([], connection=connection) == []


@pytest.mark.parametrize(
    ("jobs", "message"),
    [
        ([(SAY, {}), (SAY, {"dely": 5})], r"did you mean 'delay'\?"),
        ([(SAY, {}), ("say", {})], "'say' is not a dotted name"),
        ([(SAY, {"deadline": 5})], "deadline= and connection= belong to the call"),
        ([(SAY, {}), (SAY, {"unique": "1h", "args": [object()]})], "cannot be compared"),
    ],
)
def test_one_wrong_job_keeps_all_from_being_enqueued(jobs: Any, message: str, redis: Redis) -> None:
    with pytest.raises(ValueError, match=message):
        enqueue_many(jobs, connection=redis)
    assert redis.dbsize() == 0


def test_a_deadline_of_all_must_be_longer_than_nothing(redis: Redis) -> None:
    with pytest.raises(ValueError, match="must be longer than 0"):
        enqueue_many([(SAY, {})], deadline=0, connection=redis)


def test_nobody_listening_is_one_clear_error_for_all() -> None:
    port = free_port()
    with Redis(port=port) as connection, pytest.raises(EnqueueError) as caught:
        enqueue_many([(SAY, {"id": "a"}), (SAY, {"id": "b"})], connection=connection)
    message = f"nothing is known to be enqueued: redis://localhost:{port}/0: "
    assert str(caught.value).startswith(message)
    assert caught.value.job_id == "a"


def test_a_queue_whose_key_holds_something_else_is_named(redis: Redis) -> None:
    redis.set("rq:queue:io", "not a list")
    with pytest.raises(EnqueueError, match="b was not enqueued: the key rq:queue:io holds no"):
        enqueue_many([(SAY, {}), (SAY, {"queue": "io", "id": "b"})], connection=redis)
    assert redis.llen("rq:queue:default") == 1
