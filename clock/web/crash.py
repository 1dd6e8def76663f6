"""An unexpected error becomes a line in the log and a response with the status 500."""

from __future__ import annotations

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clock.web.error_response import ROOT, error_response

log = logging.getLogger("clock")


class CrashMiddleware:
    """Responds with 500 unless a response has begun; the client learns no details of the error."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        scope[ROOT] = scope.get("root_path", "")
        has_begun = False

        async def note(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Exception:
            log.exception("a request failed", extra={"fields": {"path": scope.get("path")}})
            if has_begun or scope["type"] != "http":
                raise
            response = error_response(scope, 500, "an error occurred; see the log")
            await response(scope, receive, send)
