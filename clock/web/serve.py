"""Serving on a port until a signal, and stopping quickly enough for any platform."""

from __future__ import annotations

import errno
import signal
import socket
from collections.abc import Sequence
from types import FrameType
from typing import Any

import uvicorn
from anyio import to_thread
from starlette.applications import Starlette

from clock import log
from clock.errors import SettingsError
from clock.web.access import LOOPBACK, read_access
from clock.web.application import application
from clock.web.feed import Feed
from clock.web.protocol import BoundedProtocol

__all__ = ["LOOPBACK", "application", "read_access", "serve"]

GRACE = 2
"""Seconds that current responses have to finish after a signal to stop."""

WAITING = 128
"""Connections waiting to be accepted, and the most that are accepted in one step of the loop."""

BUFFER = 2**15
"""Bytes that the kernel buffers per connection, which bounds how much one read returns."""

UNSENT = 2**17
"""Bytes that the kernel keeps for a client that does not read; by default it is some megabytes."""

THREADS = 12
"""Requests that are worked on at once. Each may need some megabytes, and more are not faster."""


def serve(served: Starlette, *, host: str, ports: Sequence[int]) -> None:
    """Serve on ``host`` and the first free one of ``ports`` (0 is any), until SIGTERM, SIGINT or
    SIGHUP. Raises SettingsError if it cannot listen there.
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
        # It would believe the X-Forwarded-For of whatever runs on this machine.
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE,
        lifespan="off",
    )
    server = _Server(config, served.state.clock.feed)
    # uvicorn raises the signal again after it stopped, which would end the process with its number.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _stop(server))
    shown = f"[{host}]" if ":" in host else host
    log.info("serving", url=f"http://{shown}:{listener.getsockname()[1]}/")
    with listener:
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """Bounds its threads, and ends the event streams when it stops; uvicorn would wait for them."""

    def __init__(self, config: uvicorn.Config, feed: Feed) -> None:
        super().__init__(config)
        self._feed = feed

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._feed.close()
        await super().shutdown(sockets)


def _stop(server: uvicorn.Server) -> Any:
    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    return stop


def listen(host: str, ports: Sequence[int]) -> socket.socket:
    """A socket listening on ``host`` and the first free one of ``ports``. Raises SettingsError."""
    first, *others = ports
    try:
        return _bound(host, first)
    except OSError as error:
        if others and error.errno == errno.EADDRINUSE:
            return listen(host, others)
        raise SettingsError(f"cannot listen on {host}:{first}: {error.strerror}") from None


def _bound(host: str, port: int) -> socket.socket:
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    family, kind, protocol, _, address = addresses[0]
    # asyncio sets TCP_NODELAY only on sockets created with a protocol; without it every response on
    # a keep-alive connection takes 40 ms longer.
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNSENT)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # From here on connections wait until uvicorn accepts them.
        listener.listen(WAITING)
    except OSError:
        listener.close()
        raise
    return listener
