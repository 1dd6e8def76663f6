"""Signing in and out."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from clock.web.authenticator import TooManyAttemptsError
from clock.web.error_response import ROOT
from clock.web.pages.own_path import own_path
from clock.web.pages.rendering import context_of, render, set_session


async def show_login(request: Request) -> Response:
    """``GET /login``: the form; ``next`` is the page to show afterwards. Who is signed in goes
    there at once: the button Back of a browser comes here too.
    """
    wanted = own_path(request, request.query_params.get("next", ""))
    if await context_of(request).authenticator.of_session(request) is not None:
        return RedirectResponse(wanted, 303)
    return await run_in_threadpool(_ask, request, wanted)


async def login(request: Request) -> Response:
    """``POST /login``: begin a session if ``password`` is right, that of ``username`` or a shared
    one.
    """
    context, form = context_of(request), request.state.form
    wanted = own_path(request, form.get("next", ""))
    if not context.access.has_passwords:
        return RedirectResponse(wanted, 303)
    name, password = form.get("username", "").strip(), form.get("password", "")
    try:
        cookie = await context.authenticator.sign_in(request, name, password)
    except TooManyAttemptsError as error:
        response = await run_in_threadpool(_ask, request, wanted, 429, f"{error}.".capitalize())
        response.headers["retry-after"] = str(error.seconds)
        return response
    if cookie is None:
        return await run_in_threadpool(_ask, request, wanted, 401, "The password is wrong.")
    response = RedirectResponse(wanted, 303)
    set_session(request, response, cookie)
    return response


async def logout(request: Request) -> Response:
    """``POST /logout``: end the session, for every process and every copy of its cookie."""
    authenticator, root = context_of(request).authenticator, request.scope[ROOT]
    await authenticator.sign_out(request)
    response = RedirectResponse(f"{root}/login", 303)
    response.delete_cookie(authenticator.cookie(request), path=root or "/")
    return response


def _ask(request: Request, wanted: str, status: int = 200, problem: str = "") -> Response:
    access = context_of(request).access
    return render(
        request,
        "login.html",
        status,
        problem=problem,
        wanted=wanted,
        has_names=access.has_names,
        has_shared=access.has_shared,
    )
