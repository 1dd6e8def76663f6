"""Redis Sentinel: RQ's setting ``SENTINEL``, read as RQ reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from redis import Redis
from redis.exceptions import NoScriptError, RedisError
from redis.sentinel import Sentinel

from clock.connection.client import REPLY_TIMEOUT, options
from clock.errors import SettingsError

SENTINEL_TIMEOUT = 1.0
"""Seconds to wait for one sentinel before the next is queried."""


def connect_to_master(settings: Mapping[str, Any], timeout: float = REPLY_TIMEOUT) -> Redis:
    """A client of the server that the sentinels call the master, now and after each failover.

    ``SOCKET_TIMEOUT`` is for workers, which wait long; here it is ``timeout``, in seconds. Nothing
    is sent yet. Raises SettingsError for settings that cannot be used.
    """
    of_master = {
        "db": settings.get("DB", 0),
        "username": settings.get("USERNAME"),
        "password": settings.get("PASSWORD"),
        "ssl": settings.get("SSL", False),
        **settings.get("CONNECTION_KWARGS", {}),
        **options(timeout),
    }
    of_sentinels = {**options(SENTINEL_TIMEOUT), **settings.get("SENTINEL_KWARGS", {})}
    try:
        sentinel = Sentinel(  # type: ignore[no-untyped-call]
            _instances(settings), sentinel_kwargs=of_sentinels, **of_master
        )
        master: Redis = sentinel.master_for(  # type: ignore[no-untyped-call]
            _master_name(settings), redis_class=_Master
        )
    except (TypeError, ValueError) as error:
        raise SettingsError(f"SENTINEL cannot be used: {error}") from None
    return master


def sentinel_address(settings: Mapping[str, Any]) -> str:
    """The hosts and the master's name, without a password. Raises SettingsError."""
    hosts = ",".join(f"{host}:{port}" for host, port in _instances(settings))
    return f"sentinel://{hosts}/{_master_name(settings)}/{settings.get('DB', 0)}"


class _Master(Redis):
    """Queries the sentinels again after every error response."""

    # For some seconds of a failover the old master still answers. One that refuses writes without
    # a replica (min-replicas-to-write) is then left at once, rather than once it is demoted.
    def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().execute_command(*args, **kwargs)  # type: ignore[no-untyped-call]
        except NoScriptError:
            raise
        except RedisError:
            self.connection_pool.disconnect()
            raise


def _instances(settings: Mapping[str, Any]) -> list[tuple[str, int]]:
    setting = settings.get("INSTANCES", [("localhost", 26379)])
    try:
        instances = [(str(host), int(port)) for host, port in setting]
    except (TypeError, ValueError):
        instances = []
    # An address instead of a host would be shown, with its password.
    if not instances or any("@" in host or "/" in host for host, _ in instances):
        raise SettingsError(
            "INSTANCES of SENTINEL must be a list of (host, port), as [('localhost', 26379)]"
        )
    return instances


def _master_name(settings: Mapping[str, Any]) -> str:
    return str(settings.get("MASTER_NAME", "mymaster"))
