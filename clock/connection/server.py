"""Which Redis: the address from the command line, the settings module or the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from redis import Redis

from clock.connection.client import connect
from clock.connection.sentinel import connect_to_master, sentinel_address
from clock.connection.url import masked, mistake_in
from clock.errors import SettingsError
from clock.settings import settings_module

LOCALHOST = "redis://localhost:6379/0"
VARIABLES = ("CLOCK_REDIS_URL", "RQ_REDIS_URL", "REDIS_TLS_URL", "REDIS_URL")
"""The environment variables that may hold the address; the first that is set wins."""


class Server(NamedTuple):
    """A server to connect to; ``shown`` is its address without the password."""

    shown: str
    connect: Callable[[], Redis]
    """Makes a client of the server; nothing is sent yet. Raises SettingsError."""


def redis_url(environ: Mapping[str, str]) -> str:
    """The server's address from the environment, localhost by default.

    ``REDIS_TLS_VERIFY=no`` accepts any certificate: the servers of some platforms have self-signed
    ones.
    """
    url = next((environ[name] for name in VARIABLES if environ.get(name)), LOCALHOST)
    verify = environ.get("REDIS_TLS_VERIFY", "yes").lower() not in {"no", "0", "false"}
    if verify or not url.startswith("rediss://") or mistake_in(url):
        return url
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query)) | {"ssl_cert_reqs": "none", "ssl_check_hostname": "false"}
    return urlunsplit(parts._replace(query=urlencode(query)))


def address(url: str | None, settings: str | None, environ: Mapping[str, str]) -> str:
    """The server's address: ``url``, else ``REDIS_URL`` of the settings module, else the
    environment's.

    Raises SettingsError where the settings module cannot be imported or has no ``REDIS_URL``.
    """
    if url or not settings:
        return url or redis_url(environ)
    setting = settings_module(settings).get("REDIS_URL")
    if not isinstance(setting, str):
        raise SettingsError(f"settings module {settings!r} has no REDIS_URL")
    return setting


def find_server(url: str | None, settings: str | None, environ: Mapping[str, str]) -> Server:
    """The server at ``address``, or where the settings module has a ``SENTINEL`` and no
    ``REDIS_URL``, the master that those sentinels name. Raises SettingsError as ``address`` does.
    """
    sentinel = settings_module(settings).get("SENTINEL") if settings and not url else None
    if sentinel is None or settings_module(str(settings)).get("REDIS_URL") is not None:
        chosen = address(url, settings, environ)
        return Server(masked(chosen), lambda: connect(chosen))
    if not isinstance(sentinel, Mapping):
        raise SettingsError(f"settings module {settings!r}: SENTINEL must be a dictionary")
    return Server(sentinel_address(sentinel), lambda: connect_to_master(sentinel))
