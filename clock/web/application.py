"""The ASGI application of the web UI, the API and the metrics, served or mounted under a prefix."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from redis import Redis
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Mount

from clock.connection.client import with_timeout
from clock.observe.changes import Reading, read_all
from clock.settings import TOLERANCE
from clock.web import api, health, metrics, pages
from clock.web.access import Access
from clock.web.authenticator import Authenticator
from clock.web.context import ANSWER, Context
from clock.web.crash import CrashMiddleware
from clock.web.error_response import HANDLERS
from clock.web.feed import Feed
from clock.web.guard import AccessMiddleware
from clock.web.headers import HeadersMiddleware
from clock.web.server_now import ServerNow
from clock.web.static_files import VersionedFiles

LEVEL = 6
"""Of gzip. For the page of 1,000 events level 9 takes 25 times as long, and saves 4 %."""


def application(
    connection: Redis,
    *,
    access: Access,
    app: str = "clock",
    serializer: str = "pickle",
    tolerance: float = TOLERANCE,
    allowed: Collection[str] = (),
    now: Callable[[], float] | None = None,
) -> Starlette:
    """The ASGI application for ``app``, whose ledger is on the server of ``connection``.

    ``access`` says who may do what (see ``clock.web.access.read_access``), ``serializer`` is the
    workers' one, ``tolerance`` is in seconds, ``allowed`` are the dotted names of tasks that may be
    enqueued. ``now`` returns UTC seconds since 1970; the default is the server's time.
    """
    host_now, server_now = now or time.time, now or ServerNow(connection)
    authenticator = Authenticator(
        connection, access, app=app, now=host_now, server_now=server_now, timeout=ANSWER
    )

    def read() -> Reading:
        asked = with_timeout(connection, ANSWER)
        return read_all(asked, app, server_now(), tolerance=tolerance)

    served = Starlette(
        routes=routes(),
        middleware=[
            Middleware(HeadersMiddleware),
            # Neither event streams nor what is below 500 bytes. Requests that another site makes a
            # browser send have no session, so the size of a response tells it nothing.
            Middleware(GZipMiddleware, compresslevel=LEVEL),
            Middleware(CrashMiddleware),
            Middleware(AccessMiddleware, access=access, authenticator=authenticator),
        ],
        exception_handlers=HANDLERS,
    )
    # A redirect to the path with or without a slash would name whatever host the request did.
    served.router.redirect_slashes = False
    served.state.clock = Context(
        connection=connection,
        app=app,
        access=access,
        authenticator=authenticator,
        serializer=serializer,
        tolerance=tolerance,
        now=server_now,
        host_now=host_now,
        allowed=frozenset(allowed),
        feed=Feed(read),
    )
    return served


def routes() -> list[BaseRoute]:
    """All routes."""
    return [
        *api.routes,
        *metrics.routes,
        *health.routes,
        *pages.routes,
        Mount("/static", VersionedFiles(), name="static"),
    ]
