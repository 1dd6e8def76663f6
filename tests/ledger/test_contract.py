"""The job a claim writes is the one ``Queue.enqueue`` of the installed RQ writes, key by key."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import Any

import pytest
from redis import Redis
from rq import Callback, Queue, Retry
from rq.job import Job
from rq.serializers import resolve_serializer

from clock.decision import Kind
from clock.ledger.ledger import Claim, Ledger
from clock.schedule.event import Event
from tests.conftest import ReadSchedule

NOW = 1_800_000_000
OWN_PER_OCCURRENCE = {b"created_at", b"enqueued_at", b"meta"}

OPTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing": ("", {}),
    "args": ("args=[1, 'two', None]", {"args": (1, "two", None)}),
    "kwargs": ("kwargs={'full': False, 'a': [1]}", {"kwargs": {"full": False, "a": [1]}}),
    "queue": ("queue='io'", {}),
    "timeout": ("timeout='5m'", {"job_timeout": 300}),
    "no timeout": ("timeout=-1", {"job_timeout": -1}),
    "expires": ("expires='10s'", {"ttl": 10}),
    "retry": ("retry=3", {"retry": Retry(max=3)}),
    "retry with intervals": (
        "retry=__import__('rq').Retry(max=2, interval=[1, 5], enqueue_at_front=True)",
        {"retry": Retry(max=2, interval=[1, 5], enqueue_at_front=True)},
    ),
    "result_ttl": ("result_ttl='1h'", {"result_ttl": 3600}),
    "no result": ("result_ttl=0", {"result_ttl": 0}),
    "failure_ttl": ("failure_ttl='2 days'", {"failure_ttl": 172_800}),
    "failures for ever": ("failure_ttl=-1", {"failure_ttl": -1}),
    "at_front": ("at_front=True", {"at_front": True}),
    "meta": ("meta={'team': 'io'}", {"meta": {"team": "io"}}),
    "description": ("description='Refresh the feeds'", {"description": "Refresh the feeds"}),
    "on_success": ("on_success='math.floor'", {"on_success": Callback("math.floor")}),
    "on_failure": ("on_failure='math.ceil'", {"on_failure": Callback("math.ceil")}),
    "callback with a timeout": (
        "on_success=__import__('rq').Callback('math.floor', timeout=7)",
        {"on_success": Callback("math.floor", timeout=7)},
    ),
}


@pytest.fixture(params=["pickle", "json"])
def serializer(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("option", OPTIONS)
def test_a_claimed_job_is_what_rq_enqueues(
    option: str, serializer: str, redis: Redis, read: ReadSchedule
) -> None:
    written, asked = OPTIONS[option]
    event = read(f"every('day', 'tasks.x', {written})", serializer=serializer).events["tasks.x"]
    queue = Queue(event.job.queue, connection=redis, serializer=serializer)
    queue.enqueue("tasks.first", job_id="first")

    ledger = Ledger(redis, app="contract", token="t", serializer=serializer)
    ledger.enrol([event], NOW - 1)
    identifier = _fired(ledger, event, NOW, NOW)
    ours = _picture(redis, identifier)

    redis.flushall()
    queue.enqueue("tasks.first", job_id="first")
    queue.enqueue("tasks.x", job_id=identifier, **{"failure_ttl": 604_800, **asked})
    theirs = _picture(redis, identifier)

    for picture in (ours, theirs):
        fields = picture["fields"]
        picture["own"] = {field: fields.pop(field, b"") for field in OWN_PER_OCCURRENCE}
    assert ours["keys"] == theirs["keys"]
    assert ours["queues"] == theirs["queues"]
    assert ours["queue"] == theirs["queue"]
    assert _readable(ours["fields"], serializer) == _readable(theirs["fields"], serializer)
    if "ttl" not in asked:
        assert ours["expires"] == theirs["expires"] == -1


def test_an_expiring_job_expires_at_the_scheduled_time_plus_expires(
    redis: Redis, read: ReadSchedule
) -> None:
    event = read("every('day', 'tasks.x', expires='1h')").events["tasks.x"]
    ahead = int(redis.time()[0]) - 60
    ledger = Ledger(redis, app="a", token="t")
    ledger.enrol([event], ahead - 1)
    identifier = _fired(ledger, event, ahead, ahead + 60.25)
    assert redis.pexpiretime(Job.key_for(identifier)) == (ahead + 3600) * 1000
    assert redis.hget(Job.key_for(identifier), "ttl") == b"3540"


@pytest.mark.parametrize("name", ["pickle", "json"])
def test_meta_says_which_occurrence_a_job_is(name: str, redis: Redis, read: ReadSchedule) -> None:
    event = read("every('day', 'tasks.x', meta={'team': 'io'})", serializer=name).events["tasks.x"]
    ledger = Ledger(redis, app="a", token="t", serializer=name)
    ledger.enrol([event], NOW - 1)
    identifiers = _fired(ledger, event, NOW, NOW + 0.5), _fired(ledger, event, NOW + 60, NOW + 61)

    first, second = (
        Job.fetch(identifier, connection=redis, serializer=resolve_serializer(name)).meta
        for identifier in identifiers
    )
    assert first == {
        "team": "io",
        "clock": {
            "event": "tasks.x",
            "scheduled_at": "2027-01-15T08:00:00Z",
            "previous_scheduled_at": None,
            "enqueued_at": "2027-01-15T08:00:00.500000Z",
        },
    }
    assert second["clock"]["previous_scheduled_at"] == "2027-01-15T08:00:00Z"


@pytest.mark.parametrize("name", ["pickle", "json"])
def test_meta_says_how_many_of_its_task_may_run_at_once(
    name: str, redis: Redis, read: ReadSchedule
) -> None:
    event = read("every('day', 'tasks.x', max_running=2)", serializer=name).events["tasks.x"]
    ledger = Ledger(redis, app="a", token="t", serializer=name)
    ledger.enrol([event], NOW - 1)
    job = Job.fetch(
        _fired(ledger, event, NOW, NOW), connection=redis, serializer=resolve_serializer(name)
    )
    assert job.meta["max_running"] == 2
    assert set(job.meta) == {"clock", "max_running"}


@pytest.mark.parametrize("moment", range(0, 4_102_444_800, 7_777_777 * 3))
def test_the_claim_writes_instants_as_python_does(
    moment: int, redis: Redis, read: ReadSchedule
) -> None:
    event = read("every('day', 'tasks.x')").events["tasks.x"]
    ledger = Ledger(redis, app="a", token="t")
    ledger.enrol([event], 0)
    identifier = _fired(ledger, event, moment + 1, moment + 1)
    scheduled_at = Job.fetch(identifier, connection=redis).meta["clock"]["scheduled_at"]
    assert scheduled_at == f"{datetime.fromtimestamp(moment + 1, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _fired(ledger: Ledger, event: Event, scheduled: int, now: float) -> str:
    """Fire an occurrence; the id of its job."""
    (outcome,) = ledger.claim([Claim(event, scheduled)], now)
    assert outcome.kind is Kind.FIRED
    return ledger.job_id(outcome.claim)


def _picture(redis: Redis, job_id: str) -> dict[str, Any]:
    """All that RQ could read of a job."""
    types = {key: redis.type(key) for key in redis.keys("*") if not str(key).startswith("b'clock:")}
    queues = redis.smembers(Queue.redis_queues_keys)
    return {
        "keys": types,
        "queues": queues,
        "queue": {queue: redis.lrange(queue, 0, -1) for queue in queues},
        "fields": redis.hgetall(Job.key_for(job_id)),
        "expires": redis.ttl(Job.key_for(job_id)),
    }


def _readable(fields: dict[bytes, bytes], serializer: str) -> dict[bytes, Any]:
    """Fields with the packed call unpacked: two picklings of one call may differ in bytes."""
    packed = zlib.decompress(fields[b"data"])
    function, instance, args, kwargs = resolve_serializer(serializer).loads(packed)
    return {**fields, b"data": (function, instance, list(args), kwargs)}
