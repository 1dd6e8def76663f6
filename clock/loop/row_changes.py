"""Rows of sources that change while the clock runs, handed to the loop by another thread."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from clock.loop.wakeup import Wakeup

if TYPE_CHECKING:
    from clock.loop.dispatcher import Dispatcher
    from clock.schedule.event import Event

AT_ONCE = 0.005
"""Seconds of a tick in which changes are taken over; what is due meanwhile waits for that."""

MANY = 1000
"""Changes whose events are worth not looking through for garbage: they stay."""

RECENT = 5.0
"""Seconds before a change is taken over within which a time of its row was not missed: no clock was
away."""


class RowChange(NamedTuple):
    """A row in force, ``event``, with its last ``decided`` occurrence, in UTC seconds since 1970;
    None where it is removed. Rows that were there when this clock started are not new to it:
    ``is_known``.
    """

    name: str
    event: Event | None
    decided: int = 0
    is_known: bool = False


class RowChanges:
    """The changes that wait for the loop. ``put`` and ``wake`` may be called from any thread."""

    def __init__(self) -> None:
        self.wakeup = Wakeup()
        """Set when there is a change."""
        self.renew: Callable[[], None] = lambda: None
        """Called by the loop to be given every row again."""
        self.on_many: Callable[[], None] = lambda: None
        """Called when ``MANY`` changes, or more, were taken over."""
        self._taken_over = 0
        self._waiting: deque[RowChange] = deque()

    def put(self, change: RowChange) -> None:
        """Let a change wait; the loop learns of it with the next ``wake``."""
        self._waiting.append(change)

    def wake(self) -> None:
        """Wake the loop."""
        self.wakeup.set()

    def __bool__(self) -> bool:
        """Whether a change waits."""
        return bool(self._waiting)

    def apply(self, dispatcher: Dispatcher, now: float) -> None:
        """Take over what waits, for ``AT_ONCE`` seconds at most."""
        self.wakeup.clear()
        end = time.monotonic() + AT_ONCE
        while self._waiting:
            name, event, decided, is_known = self._waiting.popleft()
            if event is None or not event.enabled:
                dispatcher.remove(name)
            else:
                until = now if is_known else max(now - RECENT, decided)
                dispatcher.put(event, decided, now=now, unclaimed_until=until)
            self._taken_over += 1
            if time.monotonic() > end:
                self.wakeup.set()
                return
        if self._taken_over >= MANY:
            self._taken_over = 0
            self.on_many()
