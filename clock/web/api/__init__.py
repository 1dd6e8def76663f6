"""The JSON API, under ``/api/v1``. Its routes need ``request.app.state.clock``, a Context."""

from __future__ import annotations

import json
import logging

from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router

from clock.errors import (
    ConflictError,
    CursorError,
    RecurrenceError,
    ServerError,
    UnknownEventError,
)
from clock.web.api import actions, enqueueing, events, jobs, runs
from clock.web.api.deprecation import deprecated
from clock.web.api.description import describe
from clock.web.api.operation import Operation, route
from clock.web.api.problem import RETRY_AFTER, ProblemError, problem

_ON_EVENTS = (*events.OPERATIONS, *runs.OPERATIONS, *actions.OPERATIONS)

OPERATIONS = (
    *_ON_EVENTS,
    *deprecated(_ON_EVENTS),
    *jobs.OPERATIONS,
    *enqueueing.OPERATIONS,
)

log = logging.getLogger("clock")

_WORDS = {404: "there is nothing at this address", 405: "this address does not do that"}


def _openapi(request: Request) -> Response:
    # Where this is mounted, under a prefix of whatever application.
    place = request.scope.get("root_path", "")
    text = json.dumps(describe(OPERATIONS, place), ensure_ascii=False)
    return Response(text, media_type="application/json")


def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return problem(error.status, str(error), error.headers)


def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = _WORDS.get(error.status_code, error.detail)
    return problem(error.status_code, detail, error.headers)


def _unknown(_request: Request, error: Exception) -> Response:
    return problem(404, str(error))


def _bad_request(_request: Request, error: Exception) -> Response:
    return problem(400, str(error))


def _conflict(_request: Request, error: Exception) -> Response:
    return problem(409, str(error))


def _away(_request: Request, error: Exception) -> Response:
    return problem(
        503, f"the server is away or refuses: {error}", {"retry-after": str(RETRY_AFTER)}
    )


def _crashed(_request: Request, error: Exception) -> Response:
    log.error("the api failed", exc_info=error)
    return problem(500, "something failed here; the log says what")


def _ordered() -> list[Operation]:
    """The operations as they are to be looked through: a name may have a slash, and would take what
    stands behind another name for a part of it.
    """
    return sorted(OPERATIONS, key=lambda operation: operation.path.endswith("{name}"))


_api = ExceptionMiddleware(
    Router(
        [Route("/openapi.json", _openapi, methods=["GET"]), *map(route, _ordered())],
        redirect_slashes=False,
    ),
    handlers={
        ProblemError: _problem,
        HTTPException: _http,
        UnknownEventError: _unknown,
        CursorError: _bad_request,
        RecurrenceError: _bad_request,
        ConflictError: _conflict,
        ServerError: _away,
        Exception: _crashed,
    },
)

routes: list[BaseRoute] = [Mount("/api/v1", app=_api)]
