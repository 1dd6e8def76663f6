"""The guard: the checks that a request passes before any endpoint runs."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlsplit

import anyio
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clock.errors import ServerError
from clock.web.access import Access
from clock.web.authenticator import Authenticator, TooManyAttemptsError
from clock.web.error_response import (
    RETRY_AFTER,
    ROOT,
    error_response,
    is_for_programs,
    path_of,
    problem_response,
    server_away,
)
from clock.web.person import Person, Role
from clock.web.problems import REFERENCE

LARGEST = 2**20
"""Maximum size of a request's body, in bytes."""

LARGEST_FORM = 2**16

LARGEST_SIGN_IN = 2**13
"""Bytes of the sign-in form, the only body that is read before the credentials are known."""

HELD = 2**24
"""Bytes of all request bodies in memory at once; a request that would exceed it gets 503."""

READ_WITHIN = 10.0
"""Seconds within which the whole body must arrive."""

FORM_FIELD = "csrf"
FORM_HEADER = "x-csrf-token"

_OPEN = ("/healthz", "/readyz", "/static/")
_DESCRIPTION = ("/api/v1/openapi.json", REFERENCE)
_ENTRANCE = ("/login", "/logout")
_READING = {"GET", "HEAD", "OPTIONS"}


class AccessMiddleware:
    """Checks credentials on the headers, and reads no body of a request that fails the check. A
    request that passes has ``request.state.person`` (a Person, or None on the sign-in page) and
    ``request.state.form``, the fields of its form.
    """

    def __init__(self, app: ASGIApp, *, access: Access, authenticator: Authenticator) -> None:
        self._app = app
        self._access = access
        self._authenticator = authenticator
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["person"], state["form"] = None, {}
        path = path_of(scope)
        is_reading = scope["method"] in _READING
        is_public = path in _DESCRIPTION and self._access.public_description
        if (path.startswith(_OPEN) or is_public) and is_reading:
            await self._app(scope, receive, send)
            return
        answer = self._check_host(scope) or await self._check_headers(scope, path)
        if answer is not None:
            await answer(scope, receive, send)
        elif is_reading:
            await self._app(scope, _again(b"", receive), send)
        else:
            await self._with_body(scope, path, receive, send)

    async def _with_body(self, scope: Scope, path: str, receive: Receive, send: Send) -> None:
        """A request whose headers passed; its body is read whole before it is parsed."""
        parts: list[bytes] = []
        try:
            answer = await self._read(scope, path, receive, parts)
            body = b"".join(parts)
            if answer is None:
                scope["state"]["form"] = form = _form(scope, body)
                answer = self._check_form(scope, path, form)
            if answer is not None:
                await answer(scope, receive, send)
            else:
                await self._act(scope, _again(body, receive), send)
        finally:
            self._held -= sum(map(len, parts))

    async def _act(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request that may change something do so, and no page show what was before."""
        try:
            await self._app(scope, receive, send)
        finally:
            scope["app"].state.clock.feed.outdate()

    async def _read(
        self, scope: Scope, path: str, receive: Receive, parts: list[bytes]
    ) -> Response | None:
        """Read the body into ``parts``; the error response if it is too large, too slow or cut."""
        most = LARGEST_FORM if _is_form(scope) else LARGEST
        most = LARGEST_SIGN_IN if path in _ENTRANCE else most
        too_large = error_response(scope, 413, f"the request is larger than {most} bytes")
        if _length(scope) > most:
            return too_large
        size, more = 0, True
        with anyio.move_on_after(READ_WITHIN):
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    detail = "the request ended before its body was complete"
                    return error_response(scope, 400, detail)
                part = message.get("body", b"")
                size += len(part)
                if size > most:
                    return too_large
                if self._held + len(part) > HELD:
                    headers = {"retry-after": str(RETRY_AFTER)}
                    return problem_response(
                        scope, "busy", "too many large requests at once", headers
                    )
                parts.append(part)
                self._held += len(part)
                more = message.get("more_body", False)
        if more:
            detail = f"the body did not arrive within {READ_WITHIN:g} seconds"
            return error_response(scope, 408, detail, {"connection": "close"})
        return None

    def _check_host(self, scope: Scope) -> Response | None:
        """DNS rebinding would let the scripts of another site read our pages."""
        if self._access.hosts is None:
            return None
        host = Headers(scope=scope).get("host", "")
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if name.lower() in self._access.hosts:
            return None
        detail = "this name is not one of this machine's own: set a password"
        return error_response(scope, 421, detail)

    async def _check_headers(self, scope: Scope, path: str) -> Response | None:
        """Checks that need only the headers."""
        request = Request(scope)
        is_reading = scope["method"] in _READING
        if path in _ENTRANCE:
            return None if is_reading else self._check_site(scope)
        try:
            person = await self._authenticator.person(request)
        except TooManyAttemptsError as error:
            headers = {"retry-after": str(error.seconds)}
            return error_response(scope, 429, str(error), headers)
        except ServerError as error:
            return server_away(scope, error)
        request.state.person = person
        if person is None:
            return self._sign_in(scope, is_reading)
        if is_reading:
            return None
        if not self._access.actions:
            detail = "actions are not enabled; start clock web with --allow-actions"
            return problem_response(scope, "actions-disabled", detail)
        if person.role is not Role.ACT:
            await self._authenticator.refused(request, person, f"{scope['method']} {path}")
            return problem_response(scope, "read-only", f"{person.name} may only read")
        return self._check_site(scope) or self._check_token(request, person, None)

    def _check_form(self, scope: Scope, path: str, form: Mapping[str, str]) -> Response | None:
        """Checks that need the body."""
        person: Person | None = scope["state"]["person"]
        if path in _ENTRANCE or person is None:
            return None
        return self._check_token(Request(scope), person, form)

    def _sign_in(self, scope: Scope, is_reading: bool) -> Response:
        if is_for_programs(scope):
            return error_response(scope, 401, "a token or a password is required", _BEARER)
        if not is_reading:
            return error_response(scope, 401, "the session has ended; sign in again", _BEARER)
        if not self._access.has_passwords:
            detail = "sign in to the application or the proxy in front of this page first"
            return error_response(scope, 401, detail, _BEARER)
        wanted = scope["path"] + (f"?{query}" if (query := scope["query_string"].decode()) else "")
        return RedirectResponse(f"{scope[ROOT]}/login?next={quote(wanted)}", 303)

    def _check_site(self, scope: Scope) -> Response | None:
        """A browser names the site that a request comes from; programs do not."""
        headers = Headers(scope=scope)
        site = headers.get("sec-fetch-site")
        if site is not None:
            is_ours = site in {"same-origin", "none"}
        elif (origin := headers.get("origin")) is not None:
            ours = {headers.get("host"), headers.get("x-forwarded-host")}
            is_ours = _host_of(origin) in ours
        else:
            is_ours = True
        return (
            None
            if is_ours
            else problem_response(scope, "cross-site", "another site sent this request")
        )

    def _check_token(
        self, request: Request, person: Person, form: Mapping[str, str] | None
    ) -> Response | None:
        """``form`` is None while the body is unread; it may still contain the token."""
        given = request.headers.get(FORM_HEADER)
        if person.session is None:
            # A program, with credentials of its own or where none are needed.
            is_ours = not person.is_ambient or is_for_programs(request.scope)
        elif given is None and form is None and _is_form(request.scope):
            is_ours = True
        else:
            token = given or (form or {}).get(FORM_FIELD, "")
            is_ours = self._access.is_form_token(person.session, token)
        detail = "the form is of an earlier session; go back, reload the page and repeat it"
        return None if is_ours else problem_response(request.scope, "cross-site", detail)


_BEARER = {"www-authenticate": 'Bearer realm="clock"'}


def _length(scope: Scope) -> int:
    """The Content-Length; 0 if there is none."""
    length = HTTPConnection(scope).headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdecimal() and len(length) < 20 else 0


def _is_form(scope: Scope) -> bool:
    kind = HTTPConnection(scope).headers.get("content-type", "")
    return kind.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded"


def _form(scope: Scope, body: bytes) -> dict[str, str]:
    if not body or not _is_form(scope):
        return {}
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        return {}
    return dict(pairs)


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _again(body: bytes, receive: Receive) -> Receive:
    """Receive the ``body`` that was read already, then whatever follows it."""
    is_sent = False

    async def receive_again() -> Message:
        nonlocal is_sent
        if is_sent:
            return await receive()
        is_sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again
