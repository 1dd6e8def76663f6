"""What ``enqueue`` puts on a queue: the job that RQ itself would, once."""

from __future__ import annotations

import socket
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from redis import Redis
from rq import Callback, Queue, Retry
from rq.job import Job
from rq.serializers import resolve_serializer
from rq.utils import as_text

from clock.errors import EnqueueError
from clock.jobs import Status, enqueue
from tests.live.port import free_port
from tests.live.valkey_process import ValkeyProcess

OPTIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing": ({}, {}),
    "args": ({"args": [1, "two", None]}, {"args": (1, "two", None)}),
    "kwargs": ({"kwargs": {"full": False}}, {"kwargs": {"full": False}}),
    "timeout": ({"timeout": "5m"}, {"job_timeout": 300}),
    "no timeout": ({"timeout": -1}, {"job_timeout": -1}),
    "retry": ({"retry": 3}, {"retry": Retry(max=3)}),
    "retry with intervals": (
        {"retry": Retry(max=2, interval=[1, 5])},
        {"retry": Retry(max=2, interval=[1, 5])},
    ),
    "expires": ({"expires": "10s"}, {"ttl": 10, "result_ttl": 510}),
    "long expires": ({"expires": "2h"}, {"ttl": 7200, "result_ttl": 4100}),
    "result_ttl": ({"result_ttl": "1h", "expires": 9}, {"result_ttl": 3600, "ttl": 9}),
    "failure_ttl": ({"failure_ttl": 60}, {"failure_ttl": 60}),
    "at_front": ({"at_front": True}, {"at_front": True}),
    "meta": ({"meta": {"team": "io"}}, {"meta": {"team": "io"}}),
    "max_running": (
        {"meta": {"team": "io"}, "max_running": 2},
        {"meta": {"team": "io", "max_running": 2}},
    ),
    "description": ({"description": "Refresh"}, {"description": "Refresh"}),
    "on_success": ({"on_success": "math.floor"}, {"on_success": Callback("math.floor")}),
    "on_failure": ({"on_failure": "math.ceil"}, {"on_failure": Callback("math.ceil")}),
}


NAIVE = datetime(2027, 1, 31, 8)  # noqa: DTZ001


@pytest.fixture(params=["pickle", "json"])
def serializer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("CLOCK_SERIALIZER", request.param)
    return str(request.param)


@pytest.mark.parametrize("option", OPTIONS)
def test_an_enqueued_job_is_what_rq_enqueues(option: str, serializer: str, redis: Redis) -> None:
    given, asked = OPTIONS[option]
    queue = Queue(connection=redis, serializer=serializer)
    queue.enqueue("tasks.first", job_id="first")
    enqueue("tasks.x", id="it", connection=redis, **given)
    ours = _picture(redis, serializer)

    redis.flushall()
    queue.enqueue("tasks.first", job_id="first")
    queue.enqueue("tasks.x", job_id="it", **{"failure_ttl": 604_800, **asked})
    assert ours == _picture(redis, serializer)


@pytest.mark.parametrize("at_front", [False, True])
def test_a_delayed_job_is_what_rq_schedules(at_front: bool, serializer: str, redis: Redis) -> None:
    due = time.time() + 60
    enqueue("tasks.x", delay="1m", at_front=at_front, id="it", connection=redis)
    ours, score = _picture(redis, serializer), redis.zscore("rq:scheduled:default", "it")

    redis.flushall()
    queue = Queue(connection=redis, serializer=serializer)
    queue.enqueue_in(
        timedelta(minutes=1), "tasks.x", job_id="it", failure_ttl=604_800, at_front=at_front
    )
    assert ours == _picture(redis, serializer)
    assert score is not None
    assert due <= score < due + 2


def test_a_delayed_job_that_expires_does_so_counted_from_when_it_is_due(redis: Redis) -> None:
    enqueue("tasks.x", delay=100, expires=10, id="it", connection=redis)
    assert 109_000 < redis.pttl("rq:job:it") <= 111_000
    assert redis.hget("rq:job:it", "ttl") == b"10"


def test_a_job_at_an_instant_expires_counted_from_then(redis: Redis) -> None:
    at = datetime.now(UTC) + timedelta(seconds=100)
    enqueue("tasks.x", at=at, expires=10, unique="waiting", id="it", connection=redis)
    score = redis.zscore("rq:scheduled:default", "it")
    assert score is not None
    assert at.timestamp() <= score < at.timestamp() + 1
    assert 109_000 < redis.pttl("rq:job:it") <= 111_000
    (guard,) = redis.keys("clock:clock:unique:*")
    assert 86_400 + 270 < redis.ttl(guard) <= 86_400 + 281


def test_an_instant_that_has_passed_means_now(redis: Redis) -> None:
    at = datetime.now(UTC) - timedelta(hours=1)
    enqueue("tasks.x", at=at, expires=60, id="it", connection=redis)
    assert Queue(connection=redis).get_job_ids() == ["it"]
    assert 59_000 < redis.pttl("rq:job:it") <= 60_000


def test_a_local_instant_is_the_same_instant(redis: Redis) -> None:
    at = datetime(2036, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    enqueue("tasks.x", at=at, id="it", connection=redis)
    assert redis.zscore("rq:scheduled:default", "it") == at.timestamp()


@pytest.mark.parametrize(
    ("given", "queue"),
    [
        ({}, "default"),
        ({"priority": "high"}, "high"),
        ({"priority": "low"}, "low"),
        ({"queue": "reports"}, "reports"),
    ],
)
def test_a_priority_is_a_queue_and_any_other_may_be_named(
    given: dict[str, Any], queue: str, redis: Redis
) -> None:
    handle = enqueue("tasks.x", connection=redis, **given)
    assert Queue(queue, connection=redis).get_job_ids() == [handle.id]
    assert redis.smembers("rq:queues") == {f"rq:queue:{queue}".encode()}


def test_a_task_is_not_imported(redis: Redis) -> None:
    handle = enqueue("no.such.module.task", connection=redis)
    assert Job.fetch(handle.id, connection=redis).func_name == "no.such.module.task"


def test_a_function_that_has_a_name_may_be_given(redis: Redis) -> None:
    handle = enqueue(zlib.crc32, connection=redis)
    assert Job.fetch(handle.id, connection=redis).func_name == "zlib.crc32"


def test_an_id_that_is_there_is_not_enqueued_again(redis: Redis) -> None:
    first = enqueue("tasks.x", id="it", connection=redis)
    second = enqueue("tasks.x", id="it", connection=redis)
    assert (first.is_new, second.is_new) == (True, False)
    assert first == second
    assert Queue(connection=redis).get_job_ids() == ["it"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"priority": "hihg"},
            "priority=: 'hihg' must be one of 'high', 'default', 'low'; name another",
        ),
        (
            {"priority": "high", "queue": "io"},
            "priority= names a queue; give either priority= or queue=",
        ),
        ({"customer": 3}, "unknown option 'customer'; the task's own arguments go into args= and"),
        ({"tz": "UTC"}, "unknown option 'tz'; the task's own arguments .*; the options are args, "),
        ({"dely": 5}, r"unknown option 'dely'; the task's own .*; did you mean 'delay'\?"),
        ({"id": "a:b"}, "id=: 'a:b' is not a valid job id; use letters, digits, '_' and '-'"),
        ({"unique": "always"}, "unique=: 'always' must be 'waiting', 'unfinished' or a duration"),
        ({"unique": True}, "unique=: True must be"),
        ({"unique_key": "k"}, "unique_key= has no effect without unique="),
        (
            {"unique": "waiting", "args": [object()]},
            "cannot be compared .*; name equal jobs with unique_key=",
        ),
        ({"deadline": 0}, "deadline=: must be longer than 0"),
        ({"at": 60}, "at=: 60 must be a datetime; for a duration there is delay="),
        ({"at": NAIVE}, "at=: 2027-01-31T08:00:00 has no zone; use an aware datetime, as"),
        (
            {"at": NAIVE.replace(tzinfo=UTC), "delay": 5},
            "delay= and at= both say when the job is due; give only one of them",
        ),
        ({"depends_on": "a", "delay": 5}, "depends_on= does not go with delay= or at="),
        ({"depends_on": []}, "depends_on=: must name at least one job"),
        ({"depends_on": ["a", 7]}, "depends_on=: 7 is not a valid job id; use letters"),
        ({"repeat": 3}, r"repeat=: 3 must be rq.Repeat\(...\)"),
        ({"rate_limit": 3}, r"rate_limit=: 3 must be rq.RateLimit\(...\), which RQ has from"),
        ({"on_stopped": 3}, "on_stopped=: 3 is not a function; name the task as"),
        ({"group": ""}, "group=: '' must be a string of printable characters"),
        ({"delay": "soon"}, "delay=: 'soon' is not a duration"),
        ({"max_running": 0}, "max_running=: 0 must be a number of jobs from 1 to 1000"),
        ({"meta": {"clock": 1}}, "meta=: the key 'clock' is reserved"),
        ({"connection": "redis://"}, "connection=: 'redis://' is not a connection"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(
    given: dict[str, Any], message: str, redis: Redis
) -> None:
    with pytest.raises(ValueError, match=message):
        enqueue("tasks.x", **{"connection": redis, **given})
    assert redis.dbsize() == 0


@pytest.mark.parametrize("option", [{"args": [{1}]}, {"kwargs": {"a": {1}}}, {"meta": {"a": {1}}}])
def test_what_the_serializer_cannot_take_is_refused(
    option: dict[str, Any], redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOCK_SERIALIZER", "json")
    with pytest.raises(ValueError, match=r"cannot be serialised: TypeError: .*set is not JSON"):
        enqueue("tasks.x", connection=redis, **option)


def test_a_connection_that_decodes_what_it_reads_serves_too(server_url: str, redis: Redis) -> None:
    with Redis.from_url(server_url, decode_responses=True) as connection:
        handle = enqueue("tasks.x", connection=connection)
        assert handle.status() is Status.WAITING
    assert redis.llen("rq:queue:default") == 1


def test_a_lambda_is_refused() -> None:
    with pytest.raises(ValueError, match="a lambda has no name that a worker can import"):
        enqueue(lambda: None)


def test_a_queue_whose_key_holds_something_else_takes_no_job(redis: Redis) -> None:
    redis.set("rq:queue:default", "not a list")
    with pytest.raises(EnqueueError, match="the key rq:queue:default holds no queue"):
        enqueue("tasks.x", unique="waiting", connection=redis)
    assert redis.keys("*") == [b"rq:queue:default"]


def test_the_server_comes_from_the_environment(
    redis: Redis, server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOCK_REDIS_URL", server_url)
    handle = enqueue("tasks.x")
    assert Queue(connection=redis).get_job_ids() == [handle.id]


def test_enqueueing_costs_one_round_trip(redis: Redis) -> None:
    enqueue("tasks.x", unique="waiting", expires=60, connection=redis)
    redis.config_resetstat()
    enqueue("tasks.y", unique="waiting", expires=60, connection=redis)
    commands = redis.info("commandstats")
    assert commands["cmdstat_evalsha"]["calls"] == 1
    assert sum(stat["calls"] for stat in commands.values()) < 15


def test_deadlines_that_change_take_one_connection(redis: Redis) -> None:
    before = redis.info("stats")["total_connections_received"]
    for tenths in range(1, 30):
        enqueue("tasks.x", deadline=1 + tenths / 10, connection=redis)
    assert redis.info("stats")["total_connections_received"] == before + 1


def test_nobody_listening_is_one_clear_error_at_once() -> None:
    port = free_port()
    begin = time.monotonic()
    with Redis(port=port) as connection, pytest.raises(EnqueueError) as caught:
        enqueue("tasks.x", id="it", deadline=30, connection=connection)
    assert time.monotonic() - begin < 1
    assert str(caught.value).startswith(f"tasks.x was not enqueued: redis://localhost:{port}/0: ")
    assert str(caught.value).endswith("refused.")
    assert caught.value.job_id == "it"


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that takes connections, and what is sent to it, and never says a word."""
    with socket.create_server(("127.0.0.1", free_port())) as listening:
        yield listening


def test_a_silent_server_is_one_clear_error_after_the_deadline(silent: socket.socket) -> None:
    port = silent.getsockname()[1]
    begin = time.monotonic()
    with Redis(host="127.0.0.1", port=port) as connection, pytest.raises(EnqueueError) as caught:
        enqueue("tasks.x", id="it", deadline=0.3, connection=connection)
    assert 0.29 < time.monotonic() - begin < 1
    assert str(caught.value) == (
        f"tasks.x was not enqueued: redis://127.0.0.1:{port}/0 did not answer within 0.3 s; if "
        "the reply was lost it was, so enqueue it again with id='it'"
    )


def test_a_server_that_refuses_is_one_clear_error(redis: Redis) -> None:
    redis.config_set("maxmemory", 1)
    try:
        with pytest.raises(EnqueueError, match=r"tasks\.x was not enqueued: .*maxmemory"):
            enqueue("tasks.x", connection=redis)
    finally:
        redis.config_set("maxmemory", 0)


def test_a_server_by_a_socket_file_serves_too(tmp_path: Any) -> None:
    file = tmp_path / "s"
    server = ValkeyProcess(tmp_path / "server", f"unixsocket {file}")
    server.start()
    try:
        with Redis(unix_socket_path=str(file)) as connection:
            assert enqueue("tasks.x", connection=connection).is_new
    finally:
        server.stop()
    with (
        Redis(unix_socket_path=str(file)) as connection,
        pytest.raises(EnqueueError, match=f"unix://{file}"),
    ):
        enqueue("tasks.x", connection=connection)


def _picture(redis: Redis, serializer: str) -> dict[str, Any]:
    """All that RQ could read, but for instants."""
    names = {key for key in map(as_text, redis.keys("*")) if not key.startswith("clock:")}
    fields: dict[Any, Any] = {
        field: value
        for field, value in redis.hgetall("rq:job:it").items()
        if field not in {b"created_at", b"enqueued_at"}
    }
    loads = resolve_serializer(serializer).loads
    function, instance, args, kwargs = loads(zlib.decompress(fields[b"data"]))
    return {
        "keys": {name: redis.type(name) for name in names},
        "queues": redis.smembers(Queue.redis_queues_keys),
        "queue": redis.lrange("rq:queue:default", 0, -1),
        "fields": {**fields, b"data": (function, instance, list(args), kwargs)},
        "enqueued": b"enqueued_at" in redis.hgetall("rq:job:it"),
        "expires": redis.ttl("rq:job:it"),
    }
