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

from clock.connection.handshake import PlainConnection, TlsConnection
from clock.connection.masking import masked
from clock.connection.sentinel import connect_by_sentinels, sentinels_shown
from clock.errors import SettingsError
from clock.settings import settings_module

LOCALHOST = "redis://localhost:6379/0"
VARIABLES = ("CLOCK_REDIS_URL", "RQ_REDIS_URL", "REDIS_TLS_URL", "REDIS_URL")
"""The environment variables that may hold the address, the first one set wins."""

SCHEMES = ("redis", "rediss", "unix")

ENCODE = (
    "write / # ? [ ] @ and % in its password percent-encoded, as %2F %23 %3F %5B %5D %40 and %25"
)

TEXTS = {"username", "password", "client_name"}
"""Options of an address whose values may have an @."""

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
    verify = environ.get("REDIS_TLS_VERIFY", "yes").lower() not in {"no", "0", "false"}
    if verify or not url.startswith("rediss://") or _mistake(url):
        return url
    parts = urlsplit(url)
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
    mistake = _mistake(url)
    if mistake is None:
        try:
            connection = Redis.from_url(url, **_options(url))
            pool = connection.connection_pool
            pool.connection_class(**pool.connection_kwargs)
        except (ValueError, TypeError):
            # What the client says of it may quote a part of a password.
            mistake = "it has an option that the client does not know, or a value it cannot take"
        else:
            return connection
    raise SettingsError(f"the address {masked(url)!r} cannot be used: {mistake}")


def _options(url: str) -> dict[str, Any]:
    classes = {"redis": PlainConnection, "rediss": TlsConnection}
    kind = classes.get(url.partition("://")[0])
    return {
        "socket_timeout": REPLY_TIMEOUT,
        "socket_connect_timeout": REPLY_TIMEOUT,
        "retry": Retry(NoBackoff(), 0),
        **_brief(),
        **({} if kind is None else {"connection_class": kind}),
    }


def _mistake(url: str) -> str | None:
    """What keeps ``url`` from being read as it was meant, in words that quote nothing of it."""
    scheme = url.partition("://")[0]
    if scheme not in SCHEMES:
        return f"it must begin with {', '.join(f'{each}://' for each in SCHEMES)}"
    try:
        parts = urlsplit(url)
        _ = parts.hostname, parts.port
    except ValueError:
        return ENCODE
    # A password with one of these characters ends the address for whoever reads it, so that the
    # rest of it, and the @ before the host, are taken for a path, an option or a fragment.
    loose = [part for part in parts.query.split("&") if part.partition("=")[0] not in TEXTS]
    if scheme == "unix":
        is_torn = bool(parts.netloc) and ("@" not in parts.netloc or "@" in parts.path)
    else:
        is_torn = "@" in parts.path
    return ENCODE if is_torn or any("@" in part for part in (parts.fragment, *loose)) else None


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
