"""Serving: a port, and a stop that is as quick as a platform wants it."""

from __future__ import annotations

import errno
import logging
import signal
import socket
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Any

import uvicorn
from starlette.applications import Starlette

from clock.errors import SettingsError
from clock.web.access import LOOPBACK, read_access
from clock.web.application import application
from clock.web.protocol import BoundedProtocol

__all__ = ["LOOPBACK", "application", "read_access", "read_allowed", "serve"]

GRACE = 2
"""Seconds the answers in hand have once a stop was asked for."""

WAITING = 128
"""Connections waiting to be accepted, and the most that are accepted in one step of the loop."""

BUFFER = 2**15
"""Bytes that the kernel buffers per connection, which bounds how much one read returns."""

log = logging.getLogger("clock")


def read_allowed(said: Mapping[str, Any]) -> list[str]:
    """``ALLOWED`` of a settings module: the dotted names that may be enqueued from outside.

    Raises SettingsError.
    """
    value = said.get("ALLOWED", ())
    if not isinstance(value, (list, tuple)) or not all(isinstance(each, str) for each in value):
        raise SettingsError("ALLOWED in the settings is not a list of dotted names")
    return list(value)


def serve(served: Starlette, *, host: str, ports: Sequence[int]) -> None:
    """Answer on ``host`` and the first of ``ports`` that nobody has (0 is any that is free), until
    SIGTERM, SIGINT or SIGHUP. Raises SettingsError where the address cannot be had.
    """
    listener = listen(host, ports)
    config = uvicorn.Config(
        served,
        http=BoundedProtocol,
        ws="none",
        backlog=WAITING,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    # uvicorn sends itself again the signal it was stopped by, which would end us with its number.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _stop(server))
    shown = f"[{host}]" if ":" in host else host
    log.info("serving", extra={"fields": {"url": f"http://{shown}:{listener.getsockname()[1]}/"}})
    with listener:
        server.run(sockets=[listener])


def _stop(server: uvicorn.Server) -> Any:
    def ask(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    return ask


def listen(host: str, ports: Sequence[int]) -> socket.socket:
    """A socket listening on ``host`` and the first free one of ``ports``.

    Raises SettingsError.
    """
    first, *others = ports
    try:
        return _bound(host, first)
    except OSError as error:
        if others and error.errno == errno.EADDRINUSE:
            return listen(host, others)
        raise SettingsError(f"{host}:{first} cannot be listened on: {error.strerror}") from None


def _bound(host: str, port: int) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    family, kind, protocol, _, address = found
    # asyncio sets TCP_NODELAY only on sockets created with a protocol; without it every response on
    # a keep-alive connection takes 40 ms longer.
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # From here on nobody is turned away: who comes early waits.
        listener.listen(WAITING)
    except OSError:
        listener.close()
        raise
    return listener
