"""Every client of a server is made with the same options."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, cast

import pytest
from redis import BlockingConnectionPool, Redis
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.sentinel import Sentinel, SentinelConnectionPool

import clock
from clock.connection.client import (
    REPLY_TIMEOUT,
    address_of,
    connect,
    copy_client,
    options,
    with_deadline,
    with_timeout,
)
from clock.connection.sentinel import connect_to_master

SENTINEL = {"INSTANCES": [("a", 1)], "PASSWORD": "p", "SOCKET_TIMEOUT": 9}
MAKERS = ("Redis.from_url", " Redis(", "ConnectionPool(", "NoBackoff", "Sentinel(")


def _sentinel(timeout: float) -> Redis:
    return connect_to_master(SENTINEL, timeout)


def _sentinel_of_an_application() -> Redis:
    sentinel: Any = Sentinel([("a", 1)], socket_timeout=9)  # type: ignore[no-untyped-call]
    return cast("Redis", sentinel.master_for("m"))


def _blocking() -> Redis:
    pool = BlockingConnectionPool(max_connections=1, timeout=1)  # type: ignore[no-untyped-call]
    return Redis(connection_pool=pool)


CLIENTS = {
    "url": lambda: connect("redis://:p@a:1/2", 3.0),
    "tls": lambda: connect("rediss://a", 3.0),
    "socket file": lambda: connect("unix:///a", 3.0),
    "sentinel": lambda: _sentinel(3.0),
    "copy": lambda: copy_client(Redis(host="a", decode_responses=True), 3.0),
    "copy of a socket file": lambda: copy_client(Redis(unix_socket_path="/a"), 3.0),
    "copy of a blocking pool": lambda: copy_client(_blocking(), 3.0),
    "copy of a copy": lambda: copy_client(copy_client(Redis()), 3.0),
    "copy of sentinel's": lambda: copy_client(_sentinel(2.0), 3.0),
    "copy of an application's sentinel": lambda: copy_client(_sentinel_of_an_application(), 3.0),
}


@pytest.mark.parametrize("name", CLIENTS)
def test_every_client_has_the_same_options(name: str) -> None:
    arguments = CLIENTS[name]().connection_pool.connection_kwargs
    made = {option: arguments[option] for option in options() if option in arguments}
    assert (made["socket_timeout"], made["socket_connect_timeout"]) == (3.0, 3.0)
    assert made["retry"].get_retries() == 0
    assert made["decode_responses"] is False
    names = {"driver_info", "lib_name"} & options().keys()
    assert [arguments[name] for name in names] == [None] * len(names)


@pytest.mark.parametrize("name", CLIENTS)
def test_every_client_makes_a_connection_without_asking_a_server(name: str) -> None:
    pool = CLIENTS[name]().connection_pool
    pool.connection_class(**pool.connection_kwargs)


def test_a_client_waits_two_seconds_by_default() -> None:
    assert REPLY_TIMEOUT == 2.0
    assert options()["socket_timeout"] == REPLY_TIMEOUT


def test_a_copy_reaches_the_same_server_and_leaves_the_other_as_it_was(redis: Redis) -> None:
    before = dict(redis.connection_pool.connection_kwargs)
    redis.set("key", "value")
    copied = copy_client(redis)
    assert copied.get("key") == b"value"
    assert copied.connection_pool is not redis.connection_pool
    assert dict(redis.connection_pool.connection_kwargs) == before


def test_a_copy_for_sentinel_asks_the_same_sentinels() -> None:
    original = _sentinel(2.0)
    copied = copy_client(original)
    one, two = original.connection_pool, copied.connection_pool
    assert isinstance(one, SentinelConnectionPool)
    assert isinstance(two, SentinelConnectionPool)
    assert one.sentinel_manager is two.sentinel_manager
    assert copied.connection_pool.connection_kwargs["password"] == "p"
    assert type(copied) is type(original)


def test_a_client_with_a_timeout_is_made_once(redis: Redis) -> None:
    assert with_timeout(redis, 2.0) is with_timeout(redis, 2.0)
    assert with_timeout(redis, 2.0) is not with_timeout(redis, 3.0)
    assert with_timeout(redis, 2.0).connection_pool.connection_kwargs["socket_timeout"] == 2.0


def test_one_connection_serves_every_deadline(redis: Redis) -> None:
    before = redis.info("stats")["total_connections_received"]
    for tenths in range(1, 30):
        with with_deadline(redis, tenths / 10) as client:
            assert client.ping()
    assert redis.info("stats")["total_connections_received"] == before + 1


def _block(client: Any, milliseconds: int) -> None:
    """Let the server answer after so many ``milliseconds``."""
    client.execute_command("WAIT", 1, milliseconds)


def test_a_connection_that_is_used_again_waits_for_the_new_deadline(redis: Redis) -> None:
    for deadline in (30, 0.2, 0.4):
        with with_deadline(redis, deadline) as client:
            assert client.ping()
            begin = time.monotonic()
            if deadline == 30:
                _block(client, 900)
            else:
                with pytest.raises(RedisTimeoutError):
                    _block(client, 20_000)
                assert deadline <= time.monotonic() - begin < deadline + 1
    with with_deadline(redis, 30) as client:
        _block(client, 900)


def test_two_deadlines_at_a_time_have_a_client_each(redis: Redis) -> None:
    with with_deadline(redis, 1) as one, with_deadline(redis, 2) as other:
        assert one is not other
        timeouts = [c.connection_pool.connection_kwargs["socket_timeout"] for c in (one, other)]
    assert timeouts == [1, 2]


@pytest.mark.parametrize(
    ("client", "shown"),
    [
        (connect("redis://:secret@a:1/2"), "redis://a:1/2"),
        (Redis(), "redis://localhost:6379/0"),
        (Redis(unix_socket_path="/run/r"), "unix:///run/r"),
        (_sentinel(2.0), "the master 'mymaster' of Sentinel"),
    ],
)
def test_an_address_is_shown_without_its_password(client: Redis, shown: str) -> None:
    assert address_of(client) == shown


def test_no_other_module_makes_a_client() -> None:
    package = Path(clock.__file__).parent
    makers = {
        str(file.relative_to(package))
        for file in package.rglob("*.py")
        if any(word in file.read_text() for word in MAKERS)
    }
    assert makers == {"connection/client.py", "connection/sentinel.py"}
