"""Operations: a method on a path, its parameters, its response, and the function that does it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from redis import Redis
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clock.ledger.audit import Change, audited
from clock.ledger.audit_entry import Actor
from clock.ledger.reserved import is_reserved
from clock.schedule.option import Schema
from clock.web.api.body import read_body
from clock.web.api.etag import with_etag
from clock.web.api.schema import check
from clock.web.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request whose parameters and body fit the schemas of the operation."""

    context: Context
    connection: Redis
    now: float
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    key: str | None
    """The ``Idempotency-Key``, None if there is none."""
    if_match: str | None
    """The ``If-Match``, None if there is none."""
    actor: Actor
    """Who sent the request."""

    def audited(self, what: str, on: str) -> AbstractContextManager[Change]:
        """Record what the block does to ``on``."""
        return audited(self.connection, self.context.app, self.actor, what, on, self.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A response with a status of its own, and where it has one, an ETag of its own."""

    status: int
    body: Mapping[str, Any]
    etag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What ``method`` on ``path`` does. ``id`` is unique, for programs that generate clients.
    ``parameters`` are those of the query, with their schemas;
    ``headers`` those of the request, which are not checked; ``body`` is the schema of the body,
    None where none is read; ``gives`` that of the response, in ``media_type``. ``errors`` are the
    statuses of errors, besides those that every operation may have.

    ``does`` runs in a thread; ``streams``, in its place, in the event loop.
    """

    id: str
    method: str
    path: str
    summary: str
    gives: Schema
    tag: str
    does: Callable[[Call], Mapping[str, Any] | Reply] | None = None
    streams: Callable[[Request, Call], Awaitable[Response]] | None = None
    media_type: str = "application/json"
    parameters: Mapping[str, Schema] = field(default_factory=dict)
    headers: Mapping[str, Schema] = field(default_factory=dict)
    body: Schema | None = None
    body_is_required: bool = False
    is_idempotent_by_key: bool = False
    statuses: Sequence[int] = (200,)
    errors: Sequence[int] = ()
    is_deprecated: bool = False
    middleware: Sequence[Middleware] = ()


KEY = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,128}$"}
"""The schema of an ``Idempotency-Key``."""


def route(operation: Operation) -> Route:
    """The route of ``operation``."""

    async def endpoint(request: Request) -> Response:
        call = await _call(request, operation)
        if operation.streams is not None:
            return await operation.streams(request, call)
        assert operation.does is not None
        result = await run_in_threadpool(operation.does, call)
        reply = result if isinstance(result, Reply) else Reply(status=200, body=result)
        text = json.dumps(reply.body, ensure_ascii=False, allow_nan=False).encode()
        if operation.method != "GET":
            headers = None if reply.etag is None else {"etag": reply.etag}
            return Response(text, reply.status, headers, "application/json")
        return with_etag(request, text, "application/json", reply.status, reply.etag)

    return Route(
        _starlette_path(operation.path),
        endpoint,
        methods=[operation.method],
        middleware=operation.middleware,
    )


async def _call(request: Request, operation: Operation) -> Call:
    """Raises HTTPException."""
    context: Context = request.app.state.clock
    body = None
    if operation.method != "GET":
        body = await read_body(request)
    return Call(
        context=context,
        connection=context.answering(),
        now=await run_in_threadpool(context.now),
        path=_path(request),
        query=_query(request, operation),
        body=_body(body, operation),
        key=_key(request, operation),
        if_match=request.headers.get("if-match"),
        actor=context.authenticator.actor(request, request.state.person),
    )


def _starlette_path(path: str) -> str:
    # The name of an event may contain any character, even a slash.
    return path.replace("{name}", "{name:path}")


def _path(request: Request) -> Mapping[str, str]:
    for value in request.path_params.values():
        if not value.isprintable() or len(value) > 500:
            raise HTTPException(404, "no event or job has such a name")
    return dict(request.path_params)


def _query(request: Request, operation: Operation) -> Mapping[str, Any]:
    given: dict[str, Any] = {}
    for name, text in request.query_params.multi_items():
        if name not in operation.parameters:
            known = ", ".join(operation.parameters) or "none"
            raise HTTPException(400, f"unknown parameter {name[:50]!r}; known: {known}")
        if name in given:
            raise HTTPException(400, f"the parameter {name!r} is given twice")
        given[name] = _value(name, text, operation.parameters[name])
    defaults = {
        name: schema["default"]
        for name, schema in operation.parameters.items()
        if "default" in schema
    }
    return {**defaults, **given}


def _value(name: str, text: str, schema: Schema) -> Any:
    value: Any = text
    if schema["type"] == "integer":
        digits = text.removeprefix("-")
        value = int(text) if digits.isascii() and digits.isdecimal() and len(text) < 20 else text
    try:
        check(value, schema, f"the parameter {name!r}")
        text.encode()
    except ValueError as error:
        raise HTTPException(400, str(error)) from None
    return value


def _body(body: Any, operation: Operation) -> Any:
    if operation.body is None:
        if body is not None:
            raise HTTPException(400, "the request must not have a body")
        return None
    if body is None:
        if operation.body_is_required:
            raise HTTPException(400, "the request needs a body")
        return {}
    try:
        check(body, operation.body, "the body")
    except ValueError as error:
        raise HTTPException(422, str(error)) from None
    return body


def _key(request: Request, operation: Operation) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is None or not operation.is_idempotent_by_key:
        return None
    # The draft of the header puts it in quotes; most clients leave them out.
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    try:
        check(key, KEY, "the Idempotency-Key")
    except ValueError as error:
        raise HTTPException(400, str(error)) from None
    # It may become the end of an id.
    if is_reserved(f"-{key}"):
        detail = f"the Idempotency-Key {key!r} has the form of the clock's own job ids"
        raise HTTPException(400, f"{detail}; choose another")
    return key
