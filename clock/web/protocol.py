"""The protocol of a connection: uvicorn's, with bounds on how many there are and for how long.

uvicorn itself bounds neither: it waits for the rest of a request's headers for ever, and its
``limit_concurrency`` lets every connection in, and refuses whoever asks something on one.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS = 512
"""Connections at once. One more closes the one that has stood still for longest, so that whoever
comes is answered, however many hold theirs."""

HEADERS_WITHIN = 10.0
"""Seconds from the begin of a connection, or the end of an answer, to the end of a request's
headers."""

ANSWERED_WITHIN = 60.0
"""Seconds from there until the answer is sent, body and all, and taken."""


class BoundedProtocol(H11Protocol):
    """One connection, which never stays at one step for longer than it may."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.since = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A new one, at the cost of another where there are many."""
        super().connection_made(transport)
        self._step(HEADERS_WITHIN)
        if len(self.connections) > CONNECTIONS:
            there: Any = [each for each in self.connections if not each.transport.is_closing()]
            if len(there) > CONNECTIONS:
                min(there, key=lambda each: each.since).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._stop()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Something came, which may have been the end of a request's headers."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._step(ANSWERED_WITHIN)

    def on_response_complete(self) -> None:
        """An answer is sent, as far as it is taken."""
        is_taken = not self.transport.get_write_buffer_size()
        self._step(HEADERS_WITHIN if is_taken else ANSWERED_WITHIN)
        super().on_response_complete()

    def _step(self, within: float) -> None:
        self._stop()
        self.since = self.loop.time()
        self._timer = self.loop.call_later(within, self.transport.abort)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
