"""What becomes of an error that no handler expected: a line in the log, and an answer."""

from __future__ import annotations

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clock.web.error_response import refusal

log = logging.getLogger("clock")


class CrashMiddleware:
    """Answers 500 where nothing was answered yet; what is said to the reader names nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
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
            await refusal(scope, 500, "something failed here; the log says what")(
                scope, receive, send
            )
