"""What every endpoint needs, at ``request.app.state.clock``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from redis import Redis

from clock.connection.client import with_timeout
from clock.web.access import Access
from clock.web.authenticator import Authenticator
from clock.web.feed import Feed

ANSWER = 3.0
"""Seconds that the server has to answer the API, a probe or a scrape; Prometheus waits for ten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One application and its server. ``tolerance`` is in seconds, as for ``clock status``; ``now``
    returns the server's time and ``host_now`` this host's, by which sessions expire, in UTC seconds
    since 1970; ``allowed`` are the dotted names of the tasks that may be enqueued. ``feed`` says
    what changes.
    """

    connection: Redis
    app: str
    access: Access
    authenticator: Authenticator
    serializer: str
    tolerance: float
    now: Callable[[], float]
    host_now: Callable[[], float]
    allowed: frozenset[str]
    feed: Feed

    def answering(self) -> Redis:
        """A connection to a server that has ``ANSWER`` seconds."""
        return with_timeout(self.connection, ANSWER)
