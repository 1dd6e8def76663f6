"""Problems: the one shape of every error of the API, as in RFC 9457."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

RETRY_AFTER = 5
"""Seconds after which to ask again where the server is away."""


class ProblemError(Exception):
    """An answer that is an error: its status, and one sentence for a person."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """The response to a request that is not done because of ``detail``."""
    said: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    # What cannot be written in UTF-8 is shown as JSON writes it.
    body = json.dumps(said).encode()
    return Response(body, status, dict(headers or {}), media_type="application/problem+json")
