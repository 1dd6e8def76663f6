"""Which Redis, and how to speak to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import AbstractConnection, ConnectionPool
from redis.retry import Retry

from clock.errors import SettingsError
from clock.sentinel import connect_by_sentinels, sentinels_shown
from clock.settings import settings_module

LOCALHOST = "redis://localhost:6379/0"
VARIABLES = ("CLOCK_REDIS_URL", "RQ_REDIS_URL", "REDIS_TLS_URL", "REDIS_URL")
"""The environment variables that may hold the address, the first one set wins."""

REPLY_TIMEOUT = 2.0
"""Seconds to wait for a connection or a reply. A claim is a few milliseconds of work; a server that
has not answered by then is away, and asking again is safe."""


class Server(NamedTuple):
    """A server to connect to, and how to show it to people: ``shown`` has no password."""

    shown: str
    connect: Callable[[], Redis]
    """Makes a connection that reports every failure at once; nothing is sent yet."""


def redis_url(environ: Mapping[str, str]) -> str:
    """The server's address from the environment, localhost where it says nothing.

    ``REDIS_TLS_VERIFY=no`` accepts a certificate nobody vouches for, as some platforms' servers
    have.
    """
    url = next((environ[name] for name in VARIABLES if environ.get(name)), LOCALHOST)
    parts = urlsplit(url)
    if parts.scheme != "rediss" or environ.get("REDIS_TLS_VERIFY", "yes").lower() not in {
        "no",
        "0",
        "false",
    }:
        return url
    query = dict(parse_qsl(parts.query)) | {"ssl_cert_reqs": "none", "ssl_check_hostname": "false"}
    return urlunsplit(parts._replace(query=urlencode(query)))


def address(url: str | None, settings: str | None, environ: Mapping[str, str]) -> str:
    """The server's address: ``url``, else the settings module's ``REDIS_URL``, else the
    environment's.

    Raises SettingsError where the settings module cannot be imported or names no address.
    """
    if url or not settings:
        return url or redis_url(environ)
    found = settings_module(settings).get("REDIS_URL")
    if not isinstance(found, str):
        raise SettingsError(f"settings module {settings!r} has no REDIS_URL")
    return found


def find_server(url: str | None, settings: str | None, environ: Mapping[str, str]) -> Server:
    """The server: that of ``address``, or where the settings module has no ``REDIS_URL``, the
    master its ``SENTINEL`` leads to. Raises SettingsError as ``address`` and ``connect`` do.
    """
    sentinel = settings_module(settings).get("SENTINEL") if settings and not url else None
    if sentinel is None or settings_module(str(settings)).get("REDIS_URL") is not None:
        found = address(url, settings, environ)
        return Server(masked(found), lambda: connect(found))
    if not isinstance(sentinel, Mapping):
        raise SettingsError(f"settings module {settings!r}: SENTINEL is not a dictionary")
    return Server(sentinels_shown(sentinel), lambda: connect_by_sentinels(sentinel, REPLY_TIMEOUT))


def connect(url: str) -> Redis:
    """A connection that reports every failure at once.

    redis-py would by itself send a command again whose reply was lost, up to ten times; here only
    the loop decides to try again. Nothing is sent yet. Raises SettingsError for an address that is
    none.
    """
    try:
        return Redis.from_url(
            url,
            socket_timeout=REPLY_TIMEOUT,
            socket_connect_timeout=REPLY_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
            **_brief(),
        )
    except (ValueError, TypeError) as error:
        raise SettingsError(f"the address {masked(url)!r} cannot be used: {error}") from None


def _brief() -> dict[str, Any]:
    """What lets redis-py say only what is needed when it connects: each word more, such as its own
    name, is a round trip before the first claim.
    """
    known = signature(AbstractConnection.__init__).parameters
    names = ("driver_info",) if "driver_info" in known else ("lib_name", "lib_version")
    brief: dict[str, Any] = dict.fromkeys(names)
    if "maint_notifications_config" in signature(ConnectionPool.__init__).parameters:
        from redis.maint_notifications import MaintNotificationsConfig

        brief["maint_notifications_config"] = MaintNotificationsConfig(enabled=False)
    return brief


def masked(url: str) -> str:
    """``url`` with every password in it replaced by stars."""
    parts = urlsplit(url)
    netloc = parts.netloc
    if parts.password is not None:
        host = netloc.rpartition("@")[2]
        netloc = f"{parts.username or ''}:***@{host}"
    query = parse_qsl(parts.query, keep_blank_values=True)
    hidden = [(key, "***" if "password" in key else value) for key, value in query]
    return urlunsplit(parts._replace(netloc=netloc, query=urlencode(hidden, safe="*/")))
