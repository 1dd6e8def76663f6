"""The serializers at both ends of a queue: left at start, compared, and said where they differ."""

from __future__ import annotations

import logging
import pickle

import pytest
from redis import Redis
from rq import Queue, Worker
from rq.serializers import DefaultSerializer, JSONSerializer

from clock import keys
from clock.ledger.ledger import Ledger
from clock.ledger.serializers import WORKER_FIELD, meet_clocks, meet_workers, serializer_name
from clock.loop.loop import Loop
from clock.stop import Stop
from tests.conftest import ReadSchedule
from tests.live.port import free_port

REMEDY = "start both with one -S, or one SERIALIZER in the settings"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("json", "json"),
        ("rq.serializers.JSONSerializer", "json"),
        (JSONSerializer, "json"),
        ("pickle", "pickle"),
        (DefaultSerializer, "pickle"),
        (None, "pickle"),
        (pickle, "pickle"),
        (JSONSerializer(), "rq.serializers.JSONSerializer"),
    ],
)
def test_whatever_names_a_serializer_has_one_name(given: object, name: str) -> None:
    assert serializer_name(given) == name


def test_a_worker_with_another_serializer_is_warned_of_the_clock(redis: Redis) -> None:
    meet_workers(redis, app="shop", serializer="json", queues=["high", "low"])
    assert _start_worker(redis, "one", "pickle", "other", "low") == [
        "this worker reads pickle, but the clock shop writes json: it fails their jobs; " + REMEDY
    ]


def test_a_clock_with_another_serializer_is_warned_of_the_workers(redis: Redis) -> None:
    for name in ("a", "b", "c", "d", "e"):
        _start_worker(redis, name, "json", "default")
    _start_worker(redis, "elsewhere", "json", "other")
    assert meet_workers(redis, app="shop", serializer="pickle", queues=["default"]) == [
        "this clock writes pickle, but the workers a, b, c and 2 more read json: they fail its "
        "jobs; " + REMEDY
    ]


def test_one_serializer_under_two_names_is_not_warned_of(redis: Redis) -> None:
    assert meet_workers(redis, app="shop", serializer="json", queues=["default"]) == []
    assert _start_worker(redis, "one", JSONSerializer, "default") == []
    path = "rq.serializers.JSONSerializer"
    assert meet_workers(redis, app="shop", serializer=path, queues=["default"]) == []


def test_a_worker_of_other_queues_is_not_warned(redis: Redis) -> None:
    meet_workers(redis, app="shop", serializer="json", queues=["high"])
    assert _start_worker(redis, "one", "pickle", "low") == []


def test_a_worker_that_is_dead_or_recorded_nothing_is_not_warned_of(redis: Redis) -> None:
    plain = Worker([Queue("default", connection=redis)], connection=redis, name="plain")
    plain.register_birth()  # type: ignore[no-untyped-call]
    _start_worker(redis, "dead", "json", "default")
    redis.hset("rq:worker:dead", "death", "2026-01-01T00:00:00Z")
    redis.sadd("rq:workers:default", "rq:worker:forgotten")
    assert meet_workers(redis, app="shop", serializer="pickle", queues=["default"]) == []


def test_a_clock_that_changed_its_serializer_is_known_by_the_new_one(redis: Redis) -> None:
    for serializer in ("pickle", "json"):
        meet_workers(redis, app="shop", serializer=serializer, queues=["default"])
    assert _start_worker(redis, "one", "json", "default") == []


def test_recorded_serializers_expire(redis: Redis) -> None:
    meet_workers(redis, app="shop", serializer="json", queues=["default"])
    assert 0 < redis.ttl(keys.serializers("default")) <= keys.SERIALIZERS_TTL
    _start_worker(redis, "one", "json", "default")
    assert redis.hget("rq:worker:one", WORKER_FIELD) == b"json"
    assert redis.ttl("rq:worker:one") > 0


def test_a_server_that_is_away_or_forbids_it_ends_neither_side() -> None:
    with Redis(port=free_port()) as away:
        assert meet_workers(away, app="shop", serializer="json", queues=["default"]) == []
        assert (
            meet_clocks(away, worker_key="rq:worker:one", serializer="json", queues=["default"])
            == []
        )


def test_a_starting_clock_logs_the_mismatch_in_one_line_naming_both(
    redis: Redis, read: ReadSchedule, caplog: pytest.LogCaptureFixture
) -> None:
    _start_worker(redis, "one", "pickle", "io")
    schedule = read("every('day', 'tasks.x', queue='io')", serializer="json")
    ledger = Ledger(redis, app="shop", token="t", serializer="json")
    with caplog.at_level(logging.WARNING, "clock"):
        Loop(list(schedule.events.values()), ledger, Stop()).tick()
    (line,) = [record for record in caplog.records if record.message == "serializer"]
    assert line.__dict__["fields"]["reason"] == (
        "this clock writes json, but the worker one reads pickle: they fail its jobs; " + REMEDY
    )


def _start_worker(redis: Redis, name: str, serializer: object, *queues: str) -> list[str]:
    """What a worker does at its start; what it is told."""
    worker = Worker(
        [Queue(queue, connection=redis) for queue in queues], connection=redis, name=name
    )
    worker.register_birth()  # type: ignore[no-untyped-call]
    return meet_clocks(redis, worker_key=worker.key, serializer=serializer, queues=queues)
