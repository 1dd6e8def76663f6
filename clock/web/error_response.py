"""Every error of the web side as a response: JSON (RFC 9457) for a program, a page for a person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from clock import log
from clock.errors import RowError, ServerError
from clock.web.problems import (
    ERRORS,
    PROBLEMS,
    REFERENCE,
    Problem,
    problem_object,
    problem_of,
)
from clock.web.static_files import version

RETRY_AFTER = 5
"""Seconds after which to retry while the server is away."""

ROOT = "clock.root_path"
"""Where the application is mounted, in the scope; each Mount in it changes ``root_path`` itself."""

_DETAILS = {
    HTTPStatus.NOT_FOUND.phrase: "there is nothing at this address",
    HTTPStatus.METHOD_NOT_ALLOWED.phrase: "this address does not support the method",
}
"""In place of what Starlette says."""

_FOR_PROGRAMS = ("/api/", "/metrics", "/healthz", "/readyz")

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title} · clock</title><link rel="stylesheet" href="{static}/base.css"></head>
<body><main class="narrow"><h1>{title}</h1><p>{detail}</p><p><a href="{root}/">All events</a></p>
</main></body></html>
"""


def path_of(scope: Scope) -> str:
    """The path of a request below the place where the application is mounted."""
    root, path = scope[ROOT], str(scope["path"])
    return path.removeprefix(root) if root and path.startswith(f"{root}/") else path


def is_for_programs(scope: Scope) -> bool:
    """Whether a program sent the request, judged by its path."""
    path = path_of(scope)
    return path.startswith(_FOR_PROGRAMS) and path != REFERENCE


def problem_response(
    scope: Scope, name: str, detail: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The response to a request with the problem ``name``, because of ``detail``, one sentence."""
    problem = PROBLEMS[name]
    return error_response(scope, problem.status, detail, headers, problem)


def error_response(
    scope: Scope,
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    problem: Problem | None = None,
    field: str = "",
) -> Response:
    """The response to a request that failed because of ``detail``, one sentence. Without a
    ``problem`` it is the first one of the status. ``field`` is the word of a row that is wrong.
    """
    title = HTTPStatus(status).phrase
    if is_for_programs(scope):
        body = problem_object(status, title, detail, scope[ROOT], problem)
        if field:
            body["field"] = field
        # ASCII, as a detail may quote text that UTF-8 cannot encode.
        return Response(json.dumps(body), status, headers, "application/problem+json")
    root = escape(scope[ROOT])
    page = _PAGE.format(
        title=escape(title), detail=escape(detail), root=root, static=f"{root}/static/{version()}"
    )
    return Response(page, status, headers, "text/html")


def server_away(scope: Scope, error: ServerError) -> Response:
    """The response where the server is away or refuses."""
    # The whole message may name the server's host and port.
    log.warning("server away", path=path_of(scope), error=str(error))
    detail = f"the server is away or refuses: {error.kind}; see the log"
    return error_response(scope, 503, detail, {"retry-after": str(RETRY_AFTER)})


def _handle(request: Request, error: Exception) -> Response:
    if isinstance(error, ServerError):
        return server_away(request.scope, error)
    problem = problem_of(error)
    if isinstance(error, HTTPException):
        detail = _DETAILS.get(error.detail, error.detail)
        return error_response(request.scope, error.status_code, detail, error.headers, problem)
    assert problem is not None
    field = error.field if isinstance(error, RowError) else ""
    return error_response(request.scope, problem.status, str(error), None, problem, field)


HANDLERS = dict.fromkeys((HTTPException, *ERRORS), _handle)
"""The exception handlers of the application."""
