"""Signing in and out."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from clock.web.access import COOKIE
from clock.web.pages.rendering import context_of, render, set_session


def show_login(request: Request) -> Response:
    """``GET /login``: ``next`` is where it leads afterwards."""
    wanted = own_path(request, request.query_params.get("next", ""))
    return render(request, "login.html", problem="", wanted=wanted)


def login(request: Request) -> Response:
    """``POST /login``: with the ``password`` a session begins."""
    context, form = context_of(request), request.state.form
    wanted = own_path(request, form.get("next", ""))
    if not context.access.is_open and not context.access.knows(form.get("password", "")):
        said = "That is not the password."
        return render(request, "login.html", 401, problem=said, wanted=wanted)
    response = RedirectResponse(wanted, 303)
    if not context.access.is_open:
        set_session(request, response, context.access.begin(context.host_now())[0])
    return response


def logout(request: Request) -> Response:
    """``POST /logout``: the browser forgets its session."""
    root = request.scope.get("root_path", "")
    response = RedirectResponse(f"{root}/login", 303)
    response.delete_cookie(COOKIE, path=root or "/")
    return response


def own_path(request: Request, path: str) -> str:
    """``path`` where it is one of ours, else that of the main page: it came with a link that
    anybody may have made.
    """
    root = request.scope.get("root_path", "")
    is_plain = path.isprintable() and "\\" not in path and not path.startswith("//")
    return path if is_plain and path.startswith(f"{root}/") else f"{root}/"
