"""The fields that docs/wire.md names are those the installed RQ writes, and reads."""

from __future__ import annotations

import inspect
import json
import re
import zlib
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq import Queue, Retry
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.utils import as_text

from tests.live.worker import work_off
from tests.wire.page import fields, fields_left_out

JSON = ["-S", "json"]
CALL = json.dumps(["math.hypot", None, [3, 4], {}])


@pytest.fixture
def queue(redis: Redis) -> Queue:
    return Queue("default", connection=redis, serializer="json")


def test_what_rq_writes_is_on_the_page(queue: Queue) -> None:
    job = queue.enqueue("math.hypot", 3, 4)
    written = {as_text(name) for name in queue.connection.hgetall(job.key)}
    documented = {name for name, word in fields().items() if word != "may"}
    assert documented - written == {"failure_ttl"}
    assert written - documented - fields_left_out() == {"description"} | _callback_timeouts(written)


def test_with_options_rq_writes_the_others_of_the_page(queue: Queue) -> None:
    job = queue.enqueue(
        "math.hypot",
        args=(3, 4),
        retry=Retry(max=2, interval=[10, 60]),
        meta={"team": "io"},
        ttl=60,
        result_ttl=60,
        failure_ttl=604_800,
    )
    written: dict[Any, Any] = queue.connection.hgetall(job.key)
    assert set(fields()) <= {as_text(name) for name in written}
    assert (written[b"retries_left"], written[b"retry_intervals"]) == (b"2", b"[10, 60]")
    assert written[b"meta"] == b'{"team": "io"}'
    assert json.loads(zlib.decompress(written[b"data"])) == ["math.hypot", None, [3, 4], {}]


def test_rq_reads_every_field_of_the_page() -> None:
    read = set(re.findall(r"obj(?:\.get\(|\[)'(\w+)'", inspect.getsource(Job.restore)))
    assert set(fields()) <= read


def test_a_job_of_its_data_alone_runs(redis: Redis, server_url: str, tmp_path: Path) -> None:
    _enqueue(redis, {"data": CALL})
    work_off(tmp_path, server_url, "default", options=JSON)
    job = Job.fetch("it", connection=redis, serializer=JSONSerializer)
    assert (job.get_status(), job.return_value()) == (JobStatus.FINISHED, 5.0)
    assert 0 < redis.ttl("rq:job:it") <= 500


def test_a_job_without_a_limit_of_its_own_has_that_of_the_page(redis: Redis) -> None:
    _enqueue(redis, {"data": CALL})
    assert Job.fetch("it", connection=redis, serializer=JSONSerializer).timeout is None
    assert Queue.DEFAULT_TIMEOUT == 180


@pytest.mark.parametrize(
    "instant",
    ["2026-11-21T05:06:07Z", "2026-11-21T05:06:07.890Z", "2026-11-21T05:06:07.890123Z"],
)
def test_an_instant_may_have_up_to_six_digits(instant: str, redis: Redis) -> None:
    _enqueue(redis, {"data": CALL, "created_at": instant, "enqueued_at": instant})
    job = Job.fetch("it", connection=redis, serializer=JSONSerializer)
    assert job.created_at.isoformat().startswith("2026-11-21T05:06:07")


def test_an_instant_with_more_digits_is_refused(redis: Redis) -> None:
    _enqueue(redis, {"data": CALL, "created_at": "2026-11-21T05:06:07.890123456Z"})
    with pytest.raises(ValueError, match="does not match format"):
        Job.fetch("it", connection=redis, serializer=JSONSerializer)


@pytest.mark.parametrize("packed", [CALL.encode(), zlib.compress(CALL.encode())])
def test_the_call_may_be_plain_or_deflated(packed: bytes, redis: Redis) -> None:
    _enqueue(redis, {"data": packed})
    job = Job.fetch("it", connection=redis, serializer=JSONSerializer)
    assert (job.func_name, list(job.args)) == ("math.hypot", [3, 4])


def test_a_job_that_fails_is_tried_again_and_kept_as_long_as_it_says(
    redis: Redis, server_url: str, tmp_path: Path
) -> None:
    call = json.dumps(["math.sqrt", None, [-1], {}])
    _enqueue(
        redis,
        {"data": call, "origin": "default", "retries_left": 1, "failure_ttl": 604_800},
    )
    printed = work_off(tmp_path, server_url, "default", options=JSON)
    assert printed.count("expected a nonnegative input") + printed.count("math domain error") >= 2
    assert redis.hget("rq:job:it", "status") == b"failed"
    results: Any = redis.xrevrange("rq:results:it", count=1)
    assert results[0][1][b"type"] == b"2"
    assert 604_700 < redis.ttl("rq:results:it") <= 604_800


def _enqueue(redis: Redis, job: dict[str, str | bytes | int]) -> None:
    redis.sadd("rq:queues", "rq:queue:default")
    redis.hset("rq:job:it", mapping=job)  # type: ignore[arg-type]
    redis.rpush("rq:queue:default", "it")


def _callback_timeouts(written: set[str]) -> set[str]:
    return {name for name in written if name.endswith("_callback_timeout")}
