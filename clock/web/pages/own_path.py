"""Paths of our own pages, among those that a request asks for."""

from __future__ import annotations

from starlette.requests import Request

from clock.web.error_response import ROOT


def own_path(request: Request, path: str) -> str:
    """``path`` if it is one of ours, else that of the main page: anybody can make a link with
    ``next`` in it.
    """
    root = request.scope[ROOT]
    is_plain = path.isprintable() and "\\" not in path and not path.startswith("//")
    return path if is_plain and path.startswith(f"{root}/") else f"{root}/"
