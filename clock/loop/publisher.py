"""Publishing the coming instants of events whose recurrence is user code."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import cast

from redis import Redis

from clock.ledger.instants import publish
from clock.loop.side_threads import SideThreads
from clock.recurrence.published import Published
from clock.recurrence.recurrence import Recurrence, between
from clock.recurrence.user_code import runs_user_code
from clock.schedule.event import Event

PUBLISHED = 200
"""Coming instants of an event that are published, and past ones that are kept with them; they are
renewed when half of the coming ones are past."""

AT_ONCE = 20
"""Events whose recurrence is called after one tick at the start, and that are published after any;
later, one recurrence is called after a tick."""

AGAIN = 3600
"""Seconds after which a recurrence that failed, or has no more times, is called again."""


class Publisher:
    """Keeps the published instants of some events ahead of the present moment.

    Their recurrences run in side threads; what they return is published after the next tick.
    """

    def __init__(self, connection: Redis, app: str, events: Sequence[Event]) -> None:
        self._connection = connection
        self._app = app
        self._events = [event for event in events if runs_user_code(event.recurrence)]
        self._threads = SideThreads()
        self.published: dict[str, Published] = {}
        """Event -> its published instants."""
        self.renew()

    def renew(self) -> None:
        """Publish everything again, from the next call on."""
        # One whose call has not returned comes back when it has, however long that takes.
        indices = range(len(self._events))
        self._due = [(0, index) for index in indices if not self._threads.is_running(index)]
        self._most = AT_ONCE

    def publish(self, now: float) -> None:
        """Publish what recurrences returned, and call those that are to be renewed, some of them
        where they are many. Raises ServerError.
        """
        for _ in range(AT_ONCE):
            for answer in self._threads.answers(1):
                self._publish(cast("int", answer.key), answer.value, int(now))
        for _ in range(self._most):
            if not self._due or self._due[0][0] > now:
                break
            _, index = heapq.heappop(self._due)
            event = self._events[index]
            find = partial(_instants, event.recurrence, int(now))
            self._threads.start(index, find, event.name)
        self._most = 1

    def _publish(self, index: int, answer: object, now: int) -> None:
        again = now
        try:
            if isinstance(answer, Published):
                name = self._events[index].name
                self.published[name] = answer
                publish(self._connection, self._app, name, answer)
                again = _renewal(answer, now)
            else:
                again = now + AGAIN
        finally:
            heapq.heappush(self._due, (again, index))


def _instants(recurrence: Recurrence, now: int) -> Published:
    # Past ones too, so that an occurrence which is overdue is among them.
    past: deque[int] = deque(maxlen=PUBLISHED)
    coming: list[int] = []
    is_all = False
    with suppress(BaseException):  # a stream of times is the user's code; the loop logs its errors
        past.extend(between(recurrence, now - AGAIN, now))
        coming.extend(islice(between(recurrence, now, None), PUBLISHED))
        is_all = len(coming) < PUBLISHED
    return Published(instants=(*past, *coming), is_all=is_all)


def _renewal(published: Published, now: int) -> int:
    coming = [instant for instant in published.instants if instant > now]
    return coming[PUBLISHED // 2] if len(coming) == PUBLISHED else now + AGAIN
