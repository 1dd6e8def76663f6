"""``/healthz`` and ``/readyz``: the state in one word.

``/healthz`` is the state of the clocks, like the exit code of ``clock status``; ``/readyz`` is
whether this process reaches the server. Both need no credentials and show only the state.
"""

from __future__ import annotations

from collections.abc import Callable

from redis import Redis
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from clock.connection.errors import server_errors
from clock.errors import ServerError
from clock.observe.reading import read_status
from clock.web.context import Context
from clock.web.error_response import RETRY_AFTER

OK = "ok"
NO_CLOCK = "no clock"
OVERDUE = "overdue"
AHEAD = "ahead"
CONFLICT = "conflict"
AWAY = "server away"


def _health(context: Context, connection: Redis) -> str:
    status = read_status(
        connection, context.app, context.now(), tolerance=context.tolerance, decisions=1, runs=0
    )
    if not status.has_clocks:
        return NO_CLOCK
    if status.overdue:
        return OVERDUE
    if status.ahead:
        return AHEAD
    return CONFLICT if status.conflicts else OK


def _readiness(_context: Context, connection: Redis) -> str:
    with server_errors():
        connection.ping()
    return OK


def _endpoint(ask: Callable[[Context, Redis], str]) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        context: Context = request.app.state.clock
        try:
            word = ask(context, context.answering())
        except ServerError:
            word = AWAY
        if word == OK:
            return JSONResponse({"state": word})
        return JSONResponse({"state": word}, 503, {"retry-after": str(RETRY_AFTER)})

    return endpoint


routes: list[BaseRoute] = [
    Route("/healthz", _endpoint(_health), methods=["GET"]),
    Route("/readyz", _endpoint(_readiness), methods=["GET"]),
]
