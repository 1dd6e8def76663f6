"""Refusals: for a program a problem as in RFC 9457, for a person a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from http import HTTPStatus

from starlette.responses import Response
from starlette.types import Scope

_FOR_PROGRAMS = ("/api/", "/metrics", "/healthz", "/readyz")

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title} · clock</title><link rel="stylesheet" href="{root}/static/clock.css"></head>
<body><main class="narrow"><h1>{title}</h1><p>{detail}</p><p><a href="{root}/">All events</a></p>
</main></body></html>
"""


def path_of(scope: Scope) -> str:
    """The path of a request below the place where the application is mounted."""
    root = scope.get("root_path", "")
    path = str(scope["path"])
    return path.removeprefix(root) if root and path.startswith(f"{root}/") else path


def is_for_programs(scope: Scope) -> bool:
    """Whether a program asks, to judge by the path."""
    return path_of(scope).startswith(_FOR_PROGRAMS)


def refusal(
    scope: Scope, status: int, detail: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer that something is not done, because of ``detail``, one sentence."""
    title = HTTPStatus(status).phrase
    if is_for_programs(scope):
        said = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        return Response(
            json.dumps(said, ensure_ascii=False),
            status,
            dict(headers or {}),
            media_type="application/problem+json",
        )
    root = escape(scope.get("root_path", ""))
    page = _PAGE.format(title=escape(title), detail=escape(detail), root=root)
    return Response(page, status, dict(headers or {}), media_type="text/html")
