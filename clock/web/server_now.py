"""The current time of the server."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

from redis import Redis

from clock.connection.client import with_timeout
from clock.errors import ServerError
from clock.ledger.time_source import server_now
from clock.web.context import ANSWER

ASKED_EVERY = 5.0
"""Seconds until the server is asked again, whether it answered or not."""


class ServerNow:
    """The server's time in UTC seconds since 1970, by which the ledger is written.

    It never fails: between two answers, and while the server is away, it is this host's clock plus
    the last known offset.
    """

    def __init__(self, connection: Redis) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._asked: float | None = None
        self._offset = 0.0

    def __call__(self) -> float:
        """The current time; asks the server at most every ``ASKED_EVERY`` seconds."""
        with self._lock:
            if self._asked is None or time.monotonic() - self._asked >= ASKED_EVERY:
                with suppress(ServerError):
                    host = time.time()
                    self._offset = server_now(with_timeout(self._connection, ANSWER), host) - host
                self._asked = time.monotonic()
            return time.time() + self._offset
