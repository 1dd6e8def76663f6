"""uvicorn's HTTP protocol with limits on the number and the age of connections, and on what they
hold.

uvicorn has none of them: it waits for the rest of a request's headers forever, and its
``limit_concurrency`` accepts every connection and then answers requests on them with 503, so idle
connections would lock everyone out.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS = 512
"""Open connections. One more closes the connection that has been at its current step for longest,
so a new client is answered however many connections others hold."""

HEADERS_WITHIN = 10.0
"""Seconds from the start of a connection, or from the end of a response, until the headers of the
next request are complete."""

ANSWERED_WITHIN = 60.0
"""Seconds from the end of the headers until the response is sent and received."""

UNSENT = 48 * 2**20
"""Bytes of responses that wait for their clients, over all connections. More of them closes those
connections of them that have been at their current step for longest."""

PROGRESS = "clock.progress"
"""In the scope, a function to call while a response goes on and the client receives it: from then
on there are ``ANSWERED_WITHIN`` seconds again."""


class BoundedProtocol(H11Protocol):
    """One connection, closed when a step takes too long. ``since`` is when its step began, in
    seconds of the event loop's clock.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.since = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Start the timer; close another connection if there are too many."""
        super().connection_made(transport)
        self._step(HEADERS_WITHIN)
        if len(self.connections) > CONNECTIONS:
            connections: Any = self.connections
            alive = [one for one in connections if not one.transport.is_closing()]
            if len(alive) > CONNECTIONS:
                min(alive, key=lambda one: one.since).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self._stop()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Start the next step if the headers of a request are complete."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._step(ANSWERED_WITHIN)
            scope: Any = self.scope
            scope[PROGRESS] = self._progress

    def on_response_complete(self) -> None:
        """Wait for the next request, or first for the client to receive this response."""
        is_received = not self.transport.get_write_buffer_size()
        self._step(HEADERS_WITHIN if is_received else ANSWERED_WITHIN)
        if not is_received:
            self._bound_unsent()
        super().on_response_complete()

    def _bound_unsent(self) -> None:
        connections: Any = self.connections
        unsent = {one: one.transport.get_write_buffer_size() for one in connections}
        excess = sum(unsent.values()) - UNSENT
        for one in sorted(filter(unsent.get, unsent), key=lambda one: one.since):
            if excess <= 0:
                break
            excess -= unsent[one]
            one.transport.abort()

    def _step(self, within: float) -> None:
        self._stop()
        self.since = self.loop.time()
        self._timer = self.loop.call_later(within, self.transport.abort)

    def _progress(self) -> None:
        if self._timer is not None and not self.flow.write_paused:
            self._step(ANSWERED_WITHIN)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
