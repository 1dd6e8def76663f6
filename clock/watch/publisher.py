"""Publishing the coming instants of events whose recurrence cannot be written down."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from itertools import islice

from redis import Redis

from clock.ledger.instants import publish
from clock.recurrence.encoding import encode
from clock.recurrence.published import Published
from clock.recurrence.recurrence import Recurrence, between
from clock.schedule.event import Event

PUBLISHED = 200
"""Coming instants of an event that are published, and past ones that are kept with them; they are
renewed when half of the coming ones are past."""

AT_ONCE = 20
"""Events in one pass at the start, and one in a pass later: user code gives the instants, and the
tick after the pass waits for it."""

AGAIN = 3600
"""Seconds after which a recurrence that failed, or does not know more, is asked again."""


class Publisher:
    """Keeps the published instants of some events ahead of the present moment."""

    def __init__(self, connection: Redis, app: str, events: Sequence[Event]) -> None:
        self._connection = connection
        self._app = app
        self._events = [each for each in events if encode(each.recurrence) is None]
        self.renew()

    def renew(self) -> None:
        """Publish everything anew, from the next pass on."""
        self._due = [(0, index) for index in range(len(self._events))]
        self._most = AT_ONCE

    def passed(self, now: float) -> None:
        """Publish what is to be renewed, a part of it where that is much. Raises LedgerError."""
        for _ in range(self._most):
            if not self._due or self._due[0][0] > now:
                break
            _, index = self._due[0]
            event = self._events[index]
            found = _instants(event.recurrence, int(now))
            publish(self._connection, self._app, event.name, found)
            heapq.heapreplace(self._due, (_renewal(found, int(now)), index))
        self._most = 1


def _instants(recurrence: Recurrence, now: int) -> Published:
    # Past ones too, so that an occurrence which is overdue is among them.
    past: deque[int] = deque(maxlen=PUBLISHED)
    coming: list[int] = []
    is_all = False
    try:
        past.extend(between(recurrence, now - AGAIN, now))
        coming.extend(islice(between(recurrence, now, None), PUBLISHED))
        is_all = len(coming) < PUBLISHED
    except Exception:  # a stream of times is the user's code; the loop reports its errors
        is_all = False
    return Published(instants=(*past, *coming), is_all=is_all)


def _renewal(published: Published, now: int) -> int:
    coming = [each for each in published.instants if each > now]
    return coming[PUBLISHED // 2] if len(coming) == PUBLISHED else now + AGAIN
