"""The templates and the functions they call; every value is escaped."""

from __future__ import annotations

from functools import cache, partial
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from clock.web.context import Context
from clock.web.error_response import ROOT, path_of
from clock.web.pages import history_bars, times
from clock.web.pages.attention_banner import AttentionBanner, read_banner
from clock.web.pages.etag import etag_of
from clock.web.pages.zone_choice import choice_of
from clock.web.person import Person, Role
from clock.web.static_files import version

NAVIGATION = (
    ("/", "Events"),
    ("/queues", "Queues and workers"),
    ("/jobs", "Jobs"),
    ("/trends", "Over time"),
    ("/week", "Week"),
    ("/audit", "Audit"),
)


def context_of(request: Request) -> Context:
    """The Context of the application."""
    context: Context = request.app.state.clock
    return context


def render(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """A page from ``template``; 304 without it where the browser has the same one. A guest who may
    submit forms gets a session.
    """
    context = context_of(request)
    values = {"now": context.now(), **values}
    if "attention" not in values:
        is_open = request.state.person is None
        banner = AttentionBanner() if is_open else read_banner(context, values["now"])
        values["attention"] = banner
    choice = choice_of(request)
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
            static=f"{request.scope[ROOT]}/static/{version()}",
            zone_shown=choice.show,
            exact=partial(times.exact_tag, choice=choice, now=values["now"]),
            moment=partial(times.moment_tag, choice=choice, now=values["now"]),
            **values,
        )
    )
    etag = etag_of(text)
    headers = {"etag": etag} if status == 200 else {}
    is_known = status == 200 and request.headers.get("if-none-match") == etag
    response: Response = HTMLResponse(text, status, headers)
    if is_known and not new_session:
        response = Response(status_code=304, headers=headers)
    if new_session:
        set_session(request, response, new_session[0])
    return response


def set_session(request: Request, response: Response, cookie: str) -> None:
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
        "history_bars": history_bars.draw,
        "query": lambda **fields: urlencode(fields),
    }
    return environment
