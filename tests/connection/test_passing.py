"""Clients that are passed to another process."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from redis import Redis
from redis.sentinel import SentinelConnectionPool

from clock.connection.client import address_of, connect
from clock.connection.passing import to_bytes
from clock.connection.sentinel import connect_to_master


def passed(value: Any) -> Any:
    return pickle.loads(to_bytes(value))  # noqa: S301 - of this test


def test_a_client_that_was_passed_reaches_the_same_database(redis: Redis) -> None:
    redis.set("a", "b")
    assert passed(redis).get("a") == b"b"
    assert passed({"clients": [redis]})["clients"][0].get("a") == b"b"


@pytest.mark.parametrize(
    "client",
    [
        Redis.from_url("rediss://user:word@host:7/3", socket_timeout=11),
        Redis.from_url("unix:///tmp/socket?db=2"),
        connect("redis://:word@host:7/3"),
    ],
    ids=["tls", "unix", "of the clock"],
)
def test_it_has_the_class_and_the_options_of_the_original(client: Redis) -> None:
    copy = passed(client)
    assert type(copy) is type(client)
    assert copy.connection_pool.connection_class is client.connection_pool.connection_class
    before, after = (of.connection_pool.connection_kwargs for of in (client, copy))
    for name in ("host", "port", "path", "db", "username", "password", "socket_timeout"):
        assert after.get(name) == before.get(name)


def test_a_client_of_sentinel_asks_the_same_sentinels() -> None:
    client = connect_to_master({"INSTANCES": [("one", 1), ("two", 2)], "MASTER_NAME": "queue"})
    copy = passed(client)
    assert type(copy) is type(client)
    assert address_of(copy) == "the master 'queue' of Sentinel"
    pool = copy.connection_pool
    assert isinstance(pool, SentinelConnectionPool)
    assert [address_of(sentinel) for sentinel in pool.sentinel_manager.sentinels] == [
        "redis://one:1/0",
        "redis://two:2/0",
    ]


def test_what_cannot_be_passed_is_an_error() -> None:
    with pytest.raises((pickle.PicklingError, AttributeError)):
        to_bytes(lambda: None)
