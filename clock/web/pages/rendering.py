"""The templates and the functions they call; every value is escaped."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from clock.web.context import Context
from clock.web.error_response import ROOT, path_of
from clock.web.pages import history_bars, times
from clock.web.person import Person, Role

STATIC = Path(__file__).parent.parent / "static"

NAVIGATION = (
    ("/", "Events"),
    ("/queues", "Queues and workers"),
    ("/week", "Week ahead"),
    ("/audit", "Audit"),
)


def context_of(request: Request) -> Context:
    """The Context of the application."""
    context: Context = request.app.state.clock
    return context


def render(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page from ``template``. A guest who may submit forms gets a session."""
    context = context_of(request)
    now = context.now()
    new_session = _begin(request, context, context.host_now())
    session = new_session[1] if new_session else _session(request)
    text = (
        _environment()
        .get_template(template)
        .render(
            app=context.app,
            actions=may_act(request),
            reads_only=reads_only(request),
            signed_in=signed_in(request),
            csrf=context.access.form_token(session) if session else "",
            here=path_of(request.scope),
            back=back_of(request),
            root=request.scope[ROOT],
            navigation=NAVIGATION,
            version=_version(),
            **{"now": now, **values},
        )
    )
    response = HTMLResponse(text, status)
    if new_session:
        set_session(request, response, new_session[0])
    return response


def fragment(template: str, **values: Any) -> str:
    """A part of a page, for the script that updates it."""
    return _environment().get_template(template).render(**values)


def set_session(request: Request, response: HTMLResponse | Any, cookie: str) -> None:
    """Set the session cookie, which scripts cannot read and other sites do not send."""
    forwarded = request.headers.get("x-forwarded-proto", "")
    context = context_of(request)
    response.set_cookie(
        context.authenticator.cookie(request),
        cookie,
        max_age=context.access.session_seconds,
        path=request.scope[ROOT] or "/",
        secure=request.url.scheme == "https" or forwarded.startswith("https"),
        httponly=True,
        samesite="lax",
    )


def back_of(request: Request) -> str:
    """The path of this page below the root, to which an action redirects."""
    path = path_of(request.scope)
    kept = [(k, v) for k, v in request.query_params.multi_items() if k not in {"done", "of"}]
    return f"{path}?{urlencode(kept)}" if kept else path


def may_act(request: Request) -> bool:
    """Whether the person of ``request`` may change something."""
    person: Person | None = request.state.person
    can_act = person is not None and person.role is Role.ACT
    return can_act and context_of(request).access.actions


def reads_only(request: Request) -> str:
    """Why the person can only read, empty for one who may act."""
    person: Person | None = request.state.person
    if not context_of(request).access.actions:
        return "started without --allow-actions"
    return "" if person is None or person.role is Role.ACT else f"{person.name} may only read"


def signed_in(request: Request) -> str:
    """The name of who can sign out, empty where nobody can."""
    person: Person | None = request.state.person
    return "" if person is None or person.is_ambient or person.session is None else person.name


def _begin(request: Request, context: Context, now: float) -> tuple[str, str] | None:
    person: Person | None = request.state.person
    if person is None or not person.is_ambient or person.session or not may_act(request):
        return None
    return context.access.begin_ambient(now, person.name)


def _session(request: Request) -> str | None:
    person: Person | None = request.state.person
    return None if person is None else person.session


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("clock.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["duration"] = times.duration
    environment.globals |= {
        "ago": times.time_tag,
        "exact": times.exact_tag,
        "history_bars": history_bars.draw,
        "query": lambda **fields: urlencode(fields),
    }
    return environment


@cache
def _version() -> str:
    """Digits that change when a static file does, so that browsers may cache them."""
    files = sorted(STATIC.iterdir())
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:10]
