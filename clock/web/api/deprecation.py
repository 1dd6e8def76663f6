"""The paths of 0.1.0, under ``/schedules``: until 1.0 they answer in their old shape."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clock.observe import objects
from clock.web.api.operation import Call, Operation, Reply

SINCE = "@1795564800"
"""When they were deprecated, 2026-11-25 in UTC, in the form of RFC 9745."""

_OLD_PATHS = {"events": "schedules", "upcoming": "coming"}
_WITHOUT_BODY = {"/events/{name}/run"}
"""Those that took no body in 0.1.0, and still reject one under the old path."""

_OF_PAGES = ("total", "next")
"""Fields of lists that have pages, which 0.1.0's had not."""

_OLD_FIELDS = {"events": "schedules", "upcoming": "occurrences"}


class DeprecationMiddleware:
    """Adds the headers ``Deprecation`` and ``Link`` (RFC 5829) to every response of a route whose
    successor is at ``path``.
    """

    def __init__(self, app: ASGIApp, *, path: str) -> None:
        self._app = app
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        name = quote(scope["path_params"].get("name", ""), safe="")
        successor = scope.get("root_path", "") + self._path.replace("{name}", name)

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["deprecation"] = SINCE
                headers["link"] = f'<{successor}>; rel="successor-version"'
            await send(message)

        await self._app(scope, receive, add)


def deprecated(operations: Iterable[Operation]) -> Iterator[Operation]:
    """Those of ``operations`` under ``/events``, on the paths and in the shapes of 0.1.0."""
    return (
        _deprecated(operation) for operation in operations if operation.path.startswith("/events")
    )


def _deprecated(operation: Operation) -> Operation:
    do = operation.does
    assert do is not None

    def does(call: Call) -> Mapping[str, Any] | Reply:
        body = do(call)
        return body if isinstance(body, Reply) else _renamed(body)

    path = "/".join(_OLD_PATHS.get(part, part) for part in operation.path.split("/"))
    return replace(
        operation,
        id=re.sub(r"\W+", "_", f"{operation.method.lower()}{path}").strip("_"),
        path=path,
        does=does,
        parameters={
            name: schema
            for name, schema in operation.parameters.items()
            if operation.path != "/events" or name == "state"
        },
        body=None if operation.path in _WITHOUT_BODY else operation.body,
        gives=objects.of(**_renamed(operation.gives["properties"])),
        is_deprecated=True,
        middleware=[Middleware(DeprecationMiddleware, path=operation.path)],
    )


def _renamed(fields: Mapping[str, Any]) -> dict[str, Any]:
    left_out = _OF_PAGES if "events" in fields else ()
    return {
        _OLD_FIELDS.get(name, name): value for name, value in fields.items() if name not in left_out
    }
