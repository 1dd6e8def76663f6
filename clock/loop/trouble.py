"""Trouble that may come again and again: a line at first, then one an hour."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from clock.schedule.event import Event

AGAIN = 3600
"""Seconds after which trouble that came again is said again, with how often it came."""

LOOKED_EVERY = 60
"""Seconds between two looks at what is to be said again."""

log = logging.getLogger("clock")


@dataclass(slots=True)
class _Reported:
    """What was said at ``at``, and has come ``count`` times since."""

    at: float
    level: int
    message: str
    fields: Mapping[str, object]
    count: int = 0


class Trouble:
    """What is wrong, each under a key: an event and what kind of trouble it is, say.

    It may come every second, with another text each time, and in between all may be well.
    """

    def __init__(self) -> None:
        self._reported: dict[Hashable, _Reported] = {}
        self._looked_at = 0.0

    def say(
        self,
        key: Hashable,
        fields: Mapping[str, object],
        now: float,
        *,
        message: str = "trouble",
        level: int = logging.ERROR,
    ) -> None:
        """Log it, unless it was logged in the last hour; then it is counted.

        ``now`` is UTC seconds since 1970.
        """
        reported = self._reported.get(key)
        if reported is None:
            self._reported[key] = _Reported(now, level, message, fields)
            log.log(level, message, extra={"fields": fields})
        else:
            reported.count += 1
            reported.fields = fields

    def passed(self, now: float) -> None:
        """Say again, with its count and its latest text, what came again in an hour's time.

        What did not is forgotten: when it comes, it is said at once.
        """
        if not self._reported or abs(now - self._looked_at) < LOOKED_EVERY:
            return
        self._looked_at = now
        for key, reported in list(self._reported.items()):
            # A wall clock that was set back far silences nothing.
            if abs(now - reported.at) < AGAIN:
                continue
            if reported.count == 0:
                del self._reported[key]
                continue
            fields = {**reported.fields, "count": reported.count}
            log.log(reported.level, reported.message, extra={"fields": fields})
            reported.at, reported.count = now, 0


class EventTrouble:
    """Trouble with events, by their number among ``events``."""

    def __init__(self, trouble: Trouble, events: Sequence[Event]) -> None:
        self._trouble = trouble
        self._events = events

    def say(self, row: int, kind: str, reason: str, now: float) -> None:
        """Log what is wrong with an event, see ``Trouble.say``; ``kind`` is a word of its own for
        what is alike.
        """
        fields = {"event": self._events[row].name, "reason": reason}
        self._trouble.say((row, kind), fields, now)

    def slow(self, row: int, took: float, now: float) -> None:
        """Log that the condition of an event took ``took`` seconds."""
        fields = {"event": self._events[row].name, "condition_took": round(took, 3)}
        self._trouble.say((row, "slow"), fields, now, message="slow", level=logging.WARNING)
