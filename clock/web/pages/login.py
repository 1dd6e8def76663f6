"""Signing in and out."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from clock.web.access import COOKIE
from clock.web.error_response import ROOT
from clock.web.pages.rendering import context_of, render, set_session


def show_login(request: Request) -> Response:
    """``GET /login``: the form; ``next`` is the page to show afterwards."""
    wanted = own_path(request, request.query_params.get("next", ""))
    return render(request, "login.html", problem="", wanted=wanted)


def login(request: Request) -> Response:
    """``POST /login``: begin a session if ``password`` is right."""
    context, form = context_of(request), request.state.form
    wanted = own_path(request, form.get("next", ""))
    if not context.access.is_open and not context.access.knows(form.get("password", "")):
        problem = "The password is wrong."
        return render(request, "login.html", 401, problem=problem, wanted=wanted)
    response = RedirectResponse(wanted, 303)
    if not context.access.is_open:
        set_session(request, response, context.access.begin(context.host_now())[0])
    return response


def logout(request: Request) -> Response:
    """``POST /logout``: delete the cookie of the session."""
    root = request.scope[ROOT]
    response = RedirectResponse(f"{root}/login", 303)
    response.delete_cookie(COOKIE, path=root or "/")
    return response


def own_path(request: Request, path: str) -> str:
    """``path`` if it is one of ours, else that of the main page: anybody can make a link with
    ``next`` in it.
    """
    root = request.scope[ROOT]
    is_plain = path.isprintable() and "\\" not in path and not path.startswith("//")
    return path if is_plain and path.startswith(f"{root}/") else f"{root}/"
