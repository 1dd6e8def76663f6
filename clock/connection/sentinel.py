"""A master that sentinels name: the settings of RQ's ``SENTINEL``, read as RQ reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry
from redis.sentinel import Sentinel

from clock.errors import SettingsError

SENTINEL_TIMEOUT = 1.0
"""Seconds to wait for one sentinel, before the next is asked."""


def connect_by_sentinels(settings: Mapping[str, Any], timeout: float) -> Redis:
    """A connection to whichever server the sentinels call the master; it goes over to the next one.

    ``SOCKET_TIMEOUT`` is for workers, who wait long; here it is ``timeout``, in seconds. Like every
    connection of the clock it reports a failure at once. Nothing is sent yet. Raises SettingsError
    for settings that cannot be used.
    """
    at_once = Retry(NoBackoff(), 0)
    connection = {
        "db": settings.get("DB", 0),
        "username": settings.get("USERNAME"),
        "password": settings.get("PASSWORD"),
        "ssl": settings.get("SSL", False),
        **settings.get("CONNECTION_KWARGS", {}),
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "retry": at_once,
    }
    asking = {
        "socket_timeout": SENTINEL_TIMEOUT,
        "socket_connect_timeout": SENTINEL_TIMEOUT,
        "retry": at_once,
        **settings.get("SENTINEL_KWARGS", {}),
    }
    try:
        sentinels = Sentinel(  # type: ignore[no-untyped-call]
            _instances(settings), sentinel_kwargs=asking, **connection
        )
        master: Redis = sentinels.master_for(  # type: ignore[no-untyped-call]
            _master(settings), redis_class=_Master
        )
    except (TypeError, ValueError) as error:
        raise SettingsError(f"SENTINEL cannot be used: {error}") from None
    return master


class _Master(Redis):
    """Asks the sentinels anew after whatever the server refused."""

    # For some seconds of a failover the old master still answers. One that refuses writes without
    # a replica (min-replicas-to-write) is then left at once, not when it is demoted at last.
    def execute_command(self, *args: Any, **options: Any) -> Any:
        try:
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except NoScriptError:
            raise
        except RedisError:
            self.connection_pool.disconnect()
            raise


def sentinels_shown(settings: Mapping[str, Any]) -> str:
    """Where these settings lead, for a person: addresses and names, no password."""
    hosts = ",".join(f"{host}:{port}" for host, port in _instances(settings))
    return f"sentinel://{hosts}/{_master(settings)}/{settings.get('DB', 0)}"


def _instances(settings: Mapping[str, Any]) -> list[tuple[str, int]]:
    given = settings.get("INSTANCES", [("localhost", 26379)])
    try:
        found = [(str(host), int(port)) for host, port in given]
    except (TypeError, ValueError):
        found = []
    # An address in the place of a host would be shown, with its password.
    if not found or any("@" in host or "/" in host for host, _ in found):
        raise SettingsError(
            "SENTINEL needs INSTANCES as a list of (host, port), as [('localhost', 26379)]"
        )
    return found


def _master(settings: Mapping[str, Any]) -> str:
    return str(settings.get("MASTER_NAME", "mymaster"))
