"""What is stored for an enqueued or cancelled job, beside what RQ itself stores."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import rq
from redis import Redis
from rq import Callback, Queue, Repeat, Retry
from rq.group import Group
from rq.job import Dependency, Job, JobStatus
from rq.utils import as_text

from clock.jobs import Handle, enqueue, enqueue_many
from clock.jobs.rq_versions import IS_RQ_2

SAY = "tests.jobs.working.say"
KEPT = 604_800
DUE = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
OF_THE_MOMENT = {b"created_at", b"enqueued_at", b"last_heartbeat", b"data"}

Enqueue = Callable[[Redis], object]


def keyspace(redis: Redis, serve: Enqueue) -> dict[str, Any]:
    """RQ's keys after ``serve``: their values without instants, and whether they expire."""
    redis.flushall()
    serve(redis)
    return {
        name: (_value(redis, name), round(redis.ttl(name), -1))
        for name in sorted(map(as_text, redis.keys("rq:*")))
    }


def _value(redis: Redis, name: str) -> Any:
    match redis.type(name):
        case b"hash":
            fields: dict[Any, Any] = redis.hgetall(name)
            return {
                field: field if field in OF_THE_MOMENT else value for field, value in fields.items()
            }
        case b"list":
            return redis.lrange(name, 0, -1)
        case b"set":
            return redis.smembers(name)
        case b"zset" if name.startswith("rq:scheduled:"):
            return redis.zrange(name, 0, -1, withscores=True)
        case _:
            return redis.zrange(name, 0, -1)


def _theirs(redis: Redis, job_id: str, task: str = SAY, **options: Any) -> Job:
    queue = Queue(connection=redis)
    return queue.enqueue(task, job_id=job_id, failure_ttl=KEPT, **options)


def _ours(redis: Redis, job_id: str, task: str = SAY, **options: Any) -> Handle:
    return enqueue(task, id=job_id, connection=redis, **options)


DEPENDENCIES: dict[str, Any] = {
    "an id": "first",
    "two ids": ["first", "second"],
    "a failure allowed": Dependency(["first"], allow_failure=True),
    "at the front": Dependency("first", enqueue_at_front=True),
    "a job that is gone": ["first", "gone"],
    "only a job that is gone": "gone",
    "a job that has finished": "finished",
}


def _enqueue_others(redis: Redis) -> None:
    for name in ("first", "second", "finished"):
        _theirs(redis, name)
    Job.fetch("finished", connection=redis).set_status(JobStatus.FINISHED)


@pytest.mark.parametrize("more", [{}, {"retry": Retry(2)}], ids=["plain", "retry"])
@pytest.mark.parametrize("kind", DEPENDENCIES)
def test_a_job_that_depends_on_others_is_what_rq_defers(
    kind: str, more: dict[str, Any], redis: Redis
) -> None:
    def serve(one: Callable[..., object]) -> Enqueue:
        def run(redis: Redis) -> None:
            _enqueue_others(redis)
            one(redis, "it", depends_on=DEPENDENCIES[kind], **more)

        return run

    assert keyspace(redis, serve(_ours)) == keyspace(redis, serve(_theirs))


def test_a_deferred_job_that_expires_is_what_rq_defers(redis: Redis) -> None:
    def ours(redis: Redis) -> None:
        _enqueue_others(redis)
        _ours(redis, "it", depends_on="first", expires=900, result_ttl=500)

    def theirs(redis: Redis) -> None:
        _enqueue_others(redis)
        _theirs(redis, "it", depends_on="first", ttl=900, result_ttl=500)

    assert keyspace(redis, ours) == keyspace(redis, theirs)


@pytest.mark.parametrize(
    "options",
    [
        {"repeat": Repeat(times=3, interval=[5, 10])},
        {"on_stopped": Callback("math.floor", timeout=9)},
        {"on_stopped": Callback("math.floor"), "repeat": Repeat(times=1)},
    ],
    ids=["repeat", "on_stopped", "both"],
)
def test_repeats_and_callbacks_are_stored_as_rq_does(options: dict[str, Any], redis: Redis) -> None:
    ours = keyspace(redis, lambda redis: _ours(redis, "it", **options))
    assert ours == keyspace(redis, lambda redis: _theirs(redis, "it", **options))


def test_a_job_at_an_instant_is_what_rq_schedules(redis: Redis) -> None:
    def theirs(redis: Redis) -> None:
        queue = Queue(connection=redis)
        queue.enqueue_at(DUE, SAY, job_id="it", failure_ttl=KEPT, at_front=True)

    ours = keyspace(redis, lambda redis: _ours(redis, "it", at=DUE, at_front=True))
    assert ours == keyspace(redis, theirs)


def test_a_group_is_rq_s(redis: Redis) -> None:
    def theirs(redis: Redis) -> None:
        data = [Queue.prepare_data(SAY, job_id=name, failure_ttl=KEPT) for name in ("one", "two")]
        Group.create(connection=redis, name="g").enqueue_many(Queue(connection=redis), data)

    def ours(redis: Redis) -> None:
        jobs: Any = [(SAY, {"id": name, "group": "g"}) for name in ("one", "two")]
        enqueue_many(jobs, connection=redis)

    assert keyspace(redis, ours) == keyspace(redis, theirs)
    assert {job.id for job in Group.fetch("g", redis).get_jobs()} == {"one", "two"}


@pytest.mark.skipif(IS_RQ_2, reason="RQ has rate limits from 3 on")
@pytest.mark.parametrize("options", [{}, {"at_front": True}, {"depends_on": "first"}])
def test_jobs_with_a_rate_limit_wait_as_rq_lets_them(options: dict[str, Any], redis: Redis) -> None:
    def serve(one: Callable[..., object]) -> Enqueue:
        def run(redis: Redis) -> None:
            _theirs(redis, "first")
            for name in ("a", "b", "c"):
                one(redis, name, rate_limit=rq.RateLimit("shop", 2), **options)

        return run

    assert keyspace(redis, serve(_ours)) == keyspace(redis, serve(_theirs))


@pytest.mark.skipif(IS_RQ_2, reason="RQ has rate limits from 3 on")
def test_a_delayed_job_with_a_rate_limit_is_what_rq_schedules(redis: Redis) -> None:
    def theirs(redis: Redis) -> None:
        limit = rq.RateLimit("shop", 2)
        queue = Queue(connection=redis)
        queue.enqueue_at(DUE, SAY, job_id="it", failure_ttl=KEPT, rate_limit=limit)

    def ours(redis: Redis) -> None:
        _ours(redis, "it", at=DUE, rate_limit=rq.RateLimit("shop", 2))

    assert keyspace(redis, ours) == keyspace(redis, theirs)


def _enqueue_at(redis: Redis) -> None:
    Queue(connection=redis).enqueue_at(DUE, SAY, job_id="it")


def _limited(redis: Redis) -> None:
    for name in ("first", "it", "third"):
        _theirs(redis, name, rate_limit=rq.RateLimit("shop", 1))


def _limited_first(redis: Redis) -> None:
    for name in ("it", "second", "third"):
        _theirs(redis, name, rate_limit=rq.RateLimit("shop", 1))


def _deferred(redis: Redis) -> None:
    _theirs(redis, "first")
    _theirs(redis, "it", depends_on="first")


def _ready(redis: Redis) -> None:
    _deferred(redis)
    first = Job.fetch("first", connection=redis)
    first.set_status(JobStatus.FINISHED)
    Queue(connection=redis).move_dependents_to_ready(first)


WAITING: dict[str, Enqueue] = {
    "queued": lambda redis: _theirs(redis, "it"),
    "scheduled": _enqueue_at,
    "deferred": _deferred,
}
WAITING_IN_RQ_3: dict[str, Enqueue] = {
    "without a place": _limited,
    "with the place of the next": _limited_first,
    "ready": _ready,
}


@pytest.mark.parametrize("kind", WAITING | ({} if IS_RQ_2 else WAITING_IN_RQ_3))
def test_a_cancelled_job_is_what_rq_cancels(kind: str, redis: Redis) -> None:
    prepare = (WAITING | WAITING_IN_RQ_3)[kind]

    def ours(redis: Redis) -> None:
        prepare(redis)
        assert Handle("it", redis).cancel()

    def theirs(redis: Redis) -> None:
        prepare(redis)
        Job.fetch("it", connection=redis).cancel()

    assert keyspace(redis, ours) == keyspace(redis, theirs)
