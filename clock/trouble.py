"""Trouble with single events: said once for as long as it stays the same."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from clock.schedule.event import Event

log = logging.getLogger("clock")


class Trouble:
    """What is wrong with which event, by its number."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = events
        self._reasons: dict[int, str] = {}

    def say(self, index: int, reason: str) -> None:
        """Log what is wrong with an event, unless that was the last thing said of it."""
        if self._reasons.get(index) != reason:
            self._reasons[index] = reason
            fields = {"event": self._events[index].name, "reason": reason}
            log.error("trouble", extra={"fields": fields})

    def over(self, index: int) -> None:
        """The event does what it should: the same trouble would be a new one."""
        if self._reasons:
            self._reasons.pop(index, None)
