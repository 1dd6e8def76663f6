"""Redis clients: every connection of this package is made with the ``options`` stated here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import signature
from typing import Any
from weakref import WeakKeyDictionary

from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.connection import AbstractConnection
from redis.retry import Retry
from redis.sentinel import SentinelConnectionPool

from clock.connection.handshake import PlainConnection, TlsConnection
from clock.connection.url import masked, mistake_in
from clock.errors import SettingsError

REPLY_TIMEOUT = 2.0
"""Seconds to wait for a connection or a reply. A claim takes the server a few milliseconds; one
that has not answered by then is away, and trying again is safe."""

_OF_THE_POOL = ("orig_", "maint_notifications_pool_", "event_", "himport_", "connection_pool")
"""How options of a pool begin that refer to the pool itself."""

_NOT_COPIED = ("retry", "maint_", *_OF_THE_POOL)
"""How options begin that are not copied: those, and what is ours to set."""

_WITH_TIMEOUT: WeakKeyDictionary[Any, dict[float, Redis]] = WeakKeyDictionary()
_IDLE: WeakKeyDictionary[Any, list[Redis]] = WeakKeyDictionary()
"""The clients of ``with_deadline`` that nobody uses now, by the pool of the original."""


def options(timeout: float = REPLY_TIMEOUT) -> dict[str, Any]:
    """The options of every client: ``timeout`` seconds for a connection and for a reply, no
    retries, replies as bytes, and a handshake without what is not needed.

    redis-py by itself sends a command again, up to ten times, when its reply was lost; here only
    the caller decides to try again.
    """
    return {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "retry": Retry(NoBackoff(), 0),
        "decode_responses": False,
        **_short_handshake(),
    }


def connect(url: str, timeout: float = REPLY_TIMEOUT) -> Redis:
    """A client of the server at ``url``; nothing is sent yet.

    Raises SettingsError for an invalid address.
    """
    mistake = mistake_in(url)
    if mistake is None:
        try:
            client = Redis.from_url(url, **options(timeout), **_connection_class(url))
            pool = client.connection_pool
            pool.connection_class(**pool.connection_kwargs)
        except (ValueError, TypeError):
            # The client's message may quote a part of a password.
            mistake = "it has an unknown option, or an option with an invalid value"
        else:
            return client
    raise SettingsError(f"the address {masked(url)!r} cannot be used: {mistake}")


def copy_client(client: Redis, timeout: float = REPLY_TIMEOUT) -> Redis:
    """A new client of the same server, with connections and ``options`` of its own."""
    pool_class, arguments = pool_arguments(client.connection_pool, leave_out=_NOT_COPIED)
    # The same class: the client for Sentinel queries the sentinels again after an error.
    return type(client)(connection_pool=pool_class(**arguments | options(timeout)))


def client_of(connection: Redis) -> Redis:
    """``connection`` itself or, where it is a pipeline, a client whose commands are executed at
    once, on connections of the same pool.
    """
    if isinstance(connection, Pipeline):
        return Redis(connection_pool=connection.connection_pool)
    return connection


def pool_arguments(
    pool: Any, *, leave_out: tuple[str, ...] = _OF_THE_POOL
) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The class of another pool like ``pool``, and its arguments, without those whose names begin
    with one of ``leave_out``.
    """
    # Values of type object are how redis-py 8 marks what was not given; it knows them by identity.
    arguments = {
        name: value
        for name, value in pool.connection_kwargs.items()
        if not name.startswith(leave_out) and type(value) is not object
    } | {"connection_class": pool.connection_class}
    if not isinstance(pool, SentinelConnectionPool):
        return ConnectionPool, arguments
    names = ("service_name", "sentinel_manager", "is_master")
    return SentinelConnectionPool, arguments | {name: getattr(pool, name) for name in names}


def with_timeout(client: Redis, timeout: float) -> Redis:
    """A client of the same server that waits ``timeout`` seconds; made once per pool and timeout,
    and kept, so the timeout must be a constant.

    RQ's own client waits for minutes.
    """
    clients = _WITH_TIMEOUT.setdefault(client.connection_pool, {})
    if timeout not in clients:
        clients[timeout] = copy_client(client, timeout)
    return clients[timeout]


@contextmanager
def with_deadline(client: Redis, deadline: float) -> Iterator[Redis]:
    """A client of the same server that waits ``deadline`` seconds, for the block alone. Its
    connection serves later blocks, whatever their deadlines.
    """
    idle = _IDLE.setdefault(client.connection_pool, [])
    try:
        own = idle.pop()
    except IndexError:
        own = copy_client(client, deadline)
    else:
        _set_timeout(own, deadline)
    try:
        yield own
    finally:
        idle.append(own)


def _set_timeout(client: Redis, timeout: float) -> None:
    """Let a client that nobody uses now wait ``timeout`` seconds. redis-py sets this only when it
    connects.
    """
    pool: Any = client.connection_pool
    pool.connection_kwargs |= {"socket_timeout": timeout, "socket_connect_timeout": timeout}
    for connection in pool._available_connections:
        connection.socket_timeout = connection.socket_connect_timeout = timeout
        if connection._sock is not None:
            connection._sock.settimeout(timeout)
            # The parser sets its own timeout on the socket after it looked for data.
            connection._parser.on_connect(connection)


def address_of(client: Redis) -> str:
    """The address of a client's server, without its password, for log lines and messages."""
    pool = client.connection_pool
    arguments = pool.connection_kwargs
    if isinstance(pool, SentinelConnectionPool):
        return f"the master {pool.service_name!r} of Sentinel"
    if "path" in arguments:
        return f"unix://{arguments['path']}"
    host, port = arguments.get("host", "localhost"), arguments.get("port", 6379)
    return f"redis://{host}:{port}/{arguments.get('db') or 0}"


def _connection_class(url: str) -> dict[str, Any]:
    classes = {"redis": PlainConnection, "rediss": TlsConnection}
    scheme = url.partition("://")[0]
    return {"connection_class": classes[scheme]} if scheme in classes else {}


def _short_handshake() -> dict[str, Any]:
    """Options that keep redis-py from sending its name and version, and from subscribing to
    notifications, when it connects: each is a round trip before the first claim.
    """
    known = signature(AbstractConnection.__init__).parameters
    names = ("driver_info",) if "driver_info" in known else ("lib_name", "lib_version")
    short: dict[str, Any] = dict.fromkeys(names)
    if "maint_notifications_config" in signature(ConnectionPool.__init__).parameters:
        from redis.maint_notifications import MaintNotificationsConfig

        short["maint_notifications_config"] = MaintNotificationsConfig(enabled=False)
    return short
