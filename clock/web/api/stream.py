"""The event stream: what changes, as server-sent events."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from clock.errors import ServerError
from clock.observe import objects
from clock.web.api.operation import Call, Operation
from clock.web.authenticator import TooManyAttemptsError
from clock.web.context import Context
from clock.web.error_response import RETRY_AFTER
from clock.web.feed import KINDS, RESET, Feed, Listener, TooManyListenersError
from clock.web.message_ring import AT_ONCE
from clock.web.problems import ProblemError
from clock.web.protocol import PROGRESS

BEAT_EVERY = 15.0
"""Seconds between two comments. Before each it is asked again whether the client may read."""

_TYPE = "text/event-stream"

_HEADERS = {
    "cache-control": "no-store, no-transform",
    # nginx would collect what is sent until it has a buffer full.
    "x-accel-buffering": "no",
}

_DEFAULT = "status,event,removed,queues"


class EventStream(Response):
    """The messages for one listener of ``feed``. It ends when the client goes, when the person of
    ``request`` may not read any more, and when the feed says so.
    """

    media_type = _TYPE

    def __init__(self, request: Request, feed: Feed, listener: Listener, woken: asyncio.Event):
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._request = request
        self._feed = feed
        self._listener = listener
        self._woken = woken

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._until_gone, receive, group.cancel_scope)
                await self._send_all(scope, send)
                group.cancel_scope.cancel()
        finally:
            self._feed.leave(self._listener)

    async def _until_gone(self, receive: Receive, sending: anyio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        sending.cancel()

    async def _send_all(self, scope: Scope, send: Send) -> None:
        async def write(text: bytes, *, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": text, "more_body": more})
            scope.get(PROGRESS, bool)()

        loop = asyncio.get_running_loop()
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        await write(self._listener.opening)
        beat = loop.time() + BEAT_EVERY
        while (text := self._feed.take(self._listener)) is not None:
            if loop.time() >= beat:
                if not await self._may_read():
                    break
                text += b":\n\n"
                beat = loop.time() + BEAT_EVERY
            if text:
                # A message may be larger than what the server shall hold for a slow client.
                for start_of_part in range(0, len(text), AT_ONCE):
                    await write(text[start_of_part : start_of_part + AT_ONCE])
                continue
            with anyio.move_on_after(beat - loop.time()):
                await self._woken.wait()
            self._woken.clear()
        await write(b"", more=False)

    async def _may_read(self) -> bool:
        context: Context = self._request.app.state.clock
        try:
            person = await context.authenticator.person(self._request)
        except (ServerError, TooManyAttemptsError):
            return False
        return person is not None and person == self._request.state.person


async def _stream(request: Request, call: Call) -> Response:
    if request.method == "HEAD":
        return Response(headers=_HEADERS, media_type=_TYPE)
    feed, kinds = call.context.feed, call.query["types"].split(",")
    woken, loop = asyncio.Event(), asyncio.get_running_loop()

    def wake() -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(woken.set)

    last = request.headers.get("last-event-id")
    try:
        listener = feed.join(kinds, wake)
    except TooManyListenersError:
        detail = "too many event streams are open"
        raise ProblemError("busy", detail, {"retry-after": str(RETRY_AFTER)}) from None
    try:
        await run_in_threadpool(feed.begin, listener, last)
    except BaseException:
        feed.leave(listener)
        raise
    return EventStream(request, feed, listener, woken)


_KIND = f"({'|'.join(KINDS)})"

OPERATIONS = (
    Operation(
        id="get_stream",
        method="GET", path="/stream", tag="events", streams=_stream, media_type=_TYPE,
        summary="What changes, as server-sent events",
        parameters={
            "types": {
                "type": "string", "maxLength": 200, "pattern": f"^{_KIND}(,{_KIND})*$",
                "default": _DEFAULT, "description": f"Of {', '.join(KINDS)}, separated by commas.",
            },
        },
        headers={
            "Last-Event-ID": {
                "type": "string",
                "description": "The id of the last message: what came after it is sent first.",
            },
        },
        gives=objects.of(
            id=objects.TEXT,
            event={"type": "string", "enum": [*KINDS, RESET]},
            data={**objects.TEXT, "description": "JSON, of one line."},
        ),
    ),
)  # fmt: skip
