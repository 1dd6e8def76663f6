"""Templates and what they may call; everything they are given is escaped."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from clock.web.access import COOKIE, Person
from clock.web.context import Context
from clock.web.pages import history_bars, times

PLACE = Path(__file__).parent.parent

NAVIGATION = (("/", "Events"), ("/queues", "Queues and workers"), ("/week", "Week ahead"))


def context_of(request: Request) -> Context:
    """What the application was made with."""
    found: Context = request.app.state.clock
    return found


def render(request: Request, template: str, status: int = 200, **said: Any) -> HTMLResponse:
    """A page from ``template``. Where forms are shown to a guest, a session begins."""
    context = context_of(request)
    now = context.now()
    begun = _begin(request, context, context.host_now())
    session = begun[1] if begun else _session(request)
    text = (
        _environment()
        .get_template(template)
        .render(
            app=context.app,
            actions=context.access.actions,
            has_password=not context.access.is_open,
            csrf=context.access.form_token(session) if session else "",
            here=request.url.path.removeprefix(request.scope.get("root_path", "")) or "/",
            back=back_of(request),
            root=request.scope.get("root_path", ""),
            navigation=NAVIGATION,
            version=_version(),
            **{"now": now, **said},
        )
    )
    response = HTMLResponse(text, status)
    if begun:
        set_session(request, response, begun[0])
    return response


def fragment(template: str, **said: Any) -> str:
    """A part of a page, for the script that keeps it true."""
    return _environment().get_template(template).render(**said)


def set_session(request: Request, response: HTMLResponse | Any, cookie: str) -> None:
    """Give the browser its session; a script cannot read it, and other sites do not send it."""
    forwarded = request.headers.get("x-forwarded-proto", "")
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=context_of(request).access.session_seconds,
        path=request.scope.get("root_path", "") or "/",
        secure=request.url.scheme == "https" or forwarded.startswith("https"),
        httponly=True,
        samesite="lax",
    )


def back_of(request: Request) -> str:
    """This page, below the root: where an action sent from it leads back to."""
    path = request.url.path.removeprefix(request.scope.get("root_path", "")) or "/"
    kept = [(k, v) for k, v in request.query_params.multi_items() if k not in {"done", "of"}]
    return f"{path}?{urlencode(kept)}" if kept else path


def _begin(request: Request, context: Context, now: float) -> tuple[str, str] | None:
    person: Person | None = request.state.person
    if not context.access.actions or person is None or not person.is_guest or person.session:
        return None
    return context.access.begin(now)


def _session(request: Request) -> str | None:
    person: Person | None = request.state.person
    return None if person is None else person.session


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("clock.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["duration"] = times.duration
    made.globals |= {
        "ago": times.time_tag,
        "exact": times.exact_tag,
        "strip": history_bars.draw,
        "query": lambda **said: urlencode(said),
    }
    return made


@cache
def _version() -> str:
    """A few digits that change when a static file does, so that browsers may keep them."""
    files = sorted((PLACE / "static").iterdir())
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:10]
