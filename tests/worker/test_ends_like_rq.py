"""What is stored when a job has ended, beside what RQ's own worker stores."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import Redis
from rq import Callback, Queue, Repeat, Retry
from rq.group import Group
from rq.job import Job

from clock.jobs.rq_versions import IS_RQ_2
from clock.worker import Worker
from tests.simple_worker import SimpleWorker
from tests.worker import ending_tasks

NAME = "worker-of-the-test"

INSTANT = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?(\+00:00)?")
NUMBER = re.compile(rb"^1\d{9}(\.\d+)?$")
TOKEN = re.compile(rb"[0-9a-f]{32}")

OURS = {
    *(b"clock_worker", b"clock_supports", b"clock_serializer", b"clock_deaths"),
    *(b"clock_processes", b"clock_memory", b"clock_cpu", b"clock_load"),
}
"""Fields that our worker adds."""

OF_THE_RUN = {b"total_working_time", b"ip_address", b"current_job_working_time", b"exc_info"}
"""Fields whose values differ from run to run."""

Enqueue = Callable[[Queue], Any]


def plain(task: Any, **options: Any) -> Enqueue:
    return lambda queue: queue.enqueue(task, job_id="one", **options)


def with_dependents(queue: Queue) -> None:
    first = queue.enqueue(ending_tasks.say, job_id="one")
    queue.enqueue(ending_tasks.say, job_id="two", depends_on=first)


def with_async_dependents(queue: Queue) -> None:
    first = queue.enqueue(ending_tasks.say_async, job_id="one")
    queue.enqueue(ending_tasks.say_async, job_id="two", depends_on=first)


def in_group(queue: Queue) -> None:
    group = Group.create(connection=queue.connection, name="g")
    group.enqueue_many(
        queue,
        [Queue.prepare_data(ending_tasks.say, job_id=name) for name in ("one", "two")],
    )


KINDS: dict[str, Enqueue] = {
    "finished": plain(ending_tasks.say),
    "finished, nothing returned": plain(ending_tasks.nothing),
    "finished, kept for ever": plain(ending_tasks.say, result_ttl=-1),
    "finished, deleted": plain(ending_tasks.say, result_ttl=0),
    "finished, with a ttl": plain(ending_tasks.say, ttl=900, meta={"a": 1}),
    "finished, meta saved": plain(ending_tasks.save_meta, meta={"a": 1}),
    "finished, options changed": plain(ending_tasks.change_options),
    "finished, on success": plain(ending_tasks.say, on_success=Callback(ending_tasks.called)),
    "failed": plain(ending_tasks.fail),
    "failed, on failure": plain(ending_tasks.fail, on_failure=Callback(ending_tasks.called)),
    "failed, kept shortly": plain(ending_tasks.fail, failure_ttl=60),
    "failed, retried": plain(ending_tasks.fail, retry=Retry(1, interval=600)),
    "failed twice": plain(ending_tasks.fail, retry=Retry(1)),
    "retried by itself": plain(ending_tasks.ask_again),
    "timed out": plain(ending_tasks.sleep, job_timeout=1),
    "with dependents": with_dependents,
    "in a group": in_group,
    "async, finished": plain(ending_tasks.say_async),
    "async, deleted": plain(ending_tasks.say_async, result_ttl=0),
    "async, with a ttl": plain(ending_tasks.say_async, ttl=900, meta={"a": 1}),
    "async, meta saved": plain(ending_tasks.save_meta_async, meta={"a": 1}),
    "async, on success": plain(ending_tasks.say_async, on_success=Callback(ending_tasks.called)),
    "async, failed": plain(ending_tasks.fail_async, on_failure=Callback(ending_tasks.called)),
    "async, failed twice": plain(ending_tasks.fail_async, retry=Retry(1)),
    "async, retried by itself": plain(ending_tasks.ask_again_async),
    "async, timed out": plain(ending_tasks.sleep_async, job_timeout=1),
    "async, repeated": plain(ending_tasks.say_async, repeat=Repeat(times=1, interval=600)),
    "async, with dependents": with_async_dependents,
    "repeated": plain(ending_tasks.say, repeat=Repeat(times=1, interval=600)),
}

COUNTED_BY_US = {"failed, retried", "failed twice", "async, failed twice"}
"""Where our worker counts the retries, RQ's those alone that a task returns."""


@pytest.fixture(autouse=True)
def closed_loops(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Event loops are closed after the test: RQ 2 leaves one open for each job of ``async def``."""
    loops: list[asyncio.AbstractEventLoop] = []
    make = asyncio.new_event_loop

    def remember() -> asyncio.AbstractEventLoop:
        loops.append(make())
        return loops[-1]

    monkeypatch.setattr(asyncio, "new_event_loop", remember)
    yield
    for loop in loops:
        loop.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_ends_as_with_rq_s_own_worker(redis: Redis, kind: str) -> None:
    theirs = stored(redis, SimpleWorker, KINDS[kind])
    ours = stored(redis, Worker, KINDS[kind])
    if kind in COUNTED_BY_US:
        for keyspace in (theirs, ours):
            keyspace[b"rq:job:one"][1].pop(b"number_of_retries", None)
    assert ours == theirs


@pytest.mark.parametrize("options", [{}, {"on_success": Callback(ending_tasks.called)}])
def test_a_result_that_cannot_be_stored_fails_the_job(
    redis: Redis, options: dict[str, Any]
) -> None:
    stored(redis, Worker, plain(ending_tasks.unserializable, **options))
    job = Job.fetch("one", connection=redis)
    assert job.is_failed
    result = job.latest_result()
    assert result is not None
    assert "TypeError: the result cannot be stored: TypeError: cannot pickle" in str(
        result.exc_string
    )


def stored(redis: Redis, worker_class: Any, enqueue: Enqueue) -> dict[bytes, Any]:
    """The keys after a worker of the class has run what there is, with their values and TTLs."""
    redis.flushall()
    queue = Queue("default", connection=redis)
    enqueue(queue)
    worker_class([queue], name=NAME, connection=redis).work(burst=True, logging_level="CRITICAL")
    return dict(_keys(redis))


def _keys(redis: Any) -> Iterator[tuple[bytes, Any]]:
    for key in sorted(redis.keys()):
        if key.startswith((b"clock:", b"rq:clean_registries", b"rq:group-clean")):
            continue
        kind, ttl = redis.type(key), redis.ttl(key)
        yield TOKEN.sub(b"TOKEN", key), (kind, _value(redis, key, kind), About(ttl))


def _value(redis: Any, key: bytes, kind: bytes) -> Any:
    if kind == b"hash":
        return {
            field: b"" if field in OF_THE_RUN else _normal(value)
            for field, value in redis.hgetall(key).items()
            if field not in OURS
        }
    if kind == b"zset":
        return [
            (
                TOKEN.sub(b"TOKEN", member),
                b"T" if score > 10**9 and score != float("inf") else score,
            )
            for member, score in redis.zrange(key, 0, -1, withscores=True)
        ]
    if kind == b"list":
        return redis.lrange(key, 0, -1)
    if kind == b"set":
        return redis.smembers(key)
    if kind == b"stream":
        return [
            {
                field: b"" if field == b"exc_string" else _normal(value)
                for field, value in fields.items()
            }
            for _, fields in redis.xrange(key)
        ]
    return redis.get(key)


def _normal(value: bytes) -> bytes:
    value = INSTANT.sub(b"T", value)
    return b"T" if NUMBER.match(value) else TOKEN.sub(b"TOKEN", value)


class About(int):
    """Seconds that equal others which a machine under load may take more or less."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, About):
            return NotImplemented
        return abs(self - other) < 20 and (int(self) < 0) == (int(other) < 0)

    __hash__ = int.__hash__


def test_the_comparison_is_of_jobs_that_have_run(redis: Redis) -> None:
    keyspace = stored(redis, Worker, KINDS["finished"])
    kind, fields, _ = keyspace[b"rq:job:one"]
    assert (kind, fields[b"status"]) == (b"hash", b"finished")
    assert Job.fetch("one", connection=redis).return_value() == "said"


@pytest.mark.skipif(IS_RQ_2, reason="RQ 2 has no rate limits")
def test_a_job_with_a_rate_limit_ends_as_with_rq_s_own_worker(redis: Redis) -> None:
    from rq.rate_limit import RateLimit

    def enqueue(queue: Queue) -> None:
        for name in ("one", "two"):
            queue.enqueue(
                ending_tasks.say, job_id=name, rate_limit=RateLimit(key="r", concurrency=1)
            )

    assert stored(redis, Worker, enqueue) == stored(redis, SimpleWorker, enqueue)


@pytest.mark.parametrize(
    "key", ["rq:executions:one", "rq:wip:default", f"rq:worker:{NAME}:executions", "rq:results:one"]
)
def test_a_key_of_another_type_keeps_no_job_from_its_run(redis: Redis, key: str) -> None:
    queue = Queue("default", connection=redis)
    job = queue.enqueue(ending_tasks.say, job_id="one")
    redis.set(key, "nonsense")
    Worker([queue], name=NAME, connection=redis).work(burst=True, logging_level="CRITICAL")
    assert job.get_status() == "finished"
