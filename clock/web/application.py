"""The ASGI application: all of the web side, to be served or mounted under a prefix."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from pathlib import Path

from redis import Redis
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from clock.settings import TOLERANCE
from clock.web import api, health, metrics, pages
from clock.web.access import Access
from clock.web.context import Context
from clock.web.crash import CrashMiddleware
from clock.web.error_response import HANDLERS
from clock.web.guard import AccessMiddleware
from clock.web.headers import HeadersMiddleware
from clock.web.server_now import ServerNow

STATIC = Path(__file__).parent / "static"


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
    """The web side of the application ``app``, whose ledger ``connection`` reaches.

    ``access`` says who may (see ``clock.web.access.read_access``), ``serializer`` is that of the
    workers, ``tolerance`` is in seconds, ``allowed`` are the dotted names that may be enqueued.
    ``now`` gives UTC seconds since 1970; without it the server's time is taken.
    """
    host_now = now or time.time
    made = Starlette(
        routes=routes(),
        middleware=[
            Middleware(HeadersMiddleware),
            Middleware(CrashMiddleware),
            Middleware(AccessMiddleware, access=access, now=host_now),
        ],
        exception_handlers=HANDLERS,
    )
    made.state.clock = Context(
        connection=connection,
        app=app,
        access=access,
        serializer=serializer,
        tolerance=tolerance,
        now=now or ServerNow(connection),
        host_now=host_now,
        allowed=frozenset(allowed),
    )
    return made


def routes() -> list[BaseRoute]:
    """Every route there is."""
    return [
        *api.routes,
        *metrics.routes,
        *health.routes,
        *pages.routes,
        Mount("/static", StaticFiles(directory=STATIC), name="static"),
    ]
