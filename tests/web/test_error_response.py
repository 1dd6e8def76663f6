"""Errors are turned into responses in one place, for programs and for people."""

from __future__ import annotations

import logging

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from clock.errors import (
    CursorError,
    JobIdTakenError,
    JobServerError,
    RecurrenceError,
    UnknownEventError,
)
from clock.web.crash import CrashMiddleware
from clock.web.error_response import HANDLERS
from tests.web.requests import Web

PATHS = [("/api/v1/x", "application/problem+json"), ("/x", "text/html; charset=utf-8")]


def app_that_raises(error: Exception) -> Starlette:
    """An application whose every path raises ``error``; those of the API are in a Mount."""

    def fail(_request: Request) -> Response:
        raise error

    return Starlette(
        routes=[Mount("/api/v1", routes=[Route("/x", fail)]), Route("/x", fail)],
        middleware=[Middleware(CrashMiddleware)],
        exception_handlers=HANDLERS,
    )


@pytest.mark.parametrize(("path", "kind"), PATHS)
@pytest.mark.parametrize("prefix", ["", "/api", "/ops/clock"])
@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (UnknownEventError("there is no event 'x'"), 404, "there is no event"),
        (CursorError("the cursor is not valid"), 400, "the cursor is not valid"),
        (RecurrenceError("unknown zone 'x'"), 400, "unknown zone"),
        (JobIdTakenError("another job has the id"), 409, "another job has the id"),
        (JobServerError("no route"), 503, "the server is away or refuses: no route"),
        (HTTPException(403, "not enabled"), 403, "not enabled"),
        (HTTPException(404), 404, "there is nothing at this address"),
        (ZeroDivisionError("secret"), 500, "an error occurred; see the log"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_has_one_status_and_one_sentence_on_pages_and_in_the_api(
    error: Exception, status: int, detail: str, prefix: str, path: str, kind: str
) -> None:
    app = Starlette(routes=[Mount(prefix, app_that_raises(error))])
    answer = Web(app, {}).get(prefix + path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, kind)
    assert detail in answer.text
    assert ("retry-after" in answer.headers) is (status == 503)


@pytest.mark.parametrize("path", [path for path, _ in PATHS])
def test_an_unexpected_error_is_logged_and_not_shown(
    caplog: pytest.LogCaptureFixture, path: str
) -> None:
    with caplog.at_level(logging.ERROR, "clock"):
        answer = Web(app_that_raises(ZeroDivisionError("secret")), {}).get(path)
    assert "secret" not in answer.text
    assert "ZeroDivisionError: secret" in caplog.text
