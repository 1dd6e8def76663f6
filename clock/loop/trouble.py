"""Trouble that may come again and again: a line at first, then one an hour with a count."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from clock import log
from clock.schedule.event import Event

AGAIN = 3600
"""Seconds after which trouble that came again is logged again, with its count."""

CHECK_EVERY = 60
"""Seconds between two checks for what is to be logged again."""


@dataclass(slots=True)
class _Logged:
    """What was logged at ``at``, and has come ``count`` times since."""

    at: float
    level: int
    message: str
    fields: Mapping[str, object]
    count: int = 0


class Trouble:
    """What is wrong, each under a key, such as an event and the kind of trouble.

    It may come every second, with another text each time, and in between all may be well.
    """

    def __init__(self) -> None:
        self._logged: dict[Hashable, _Logged] = {}
        self._checked_at = 0.0

    def log(
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
        logged = self._logged.get(key)
        if logged is None:
            self._logged[key] = _Logged(now, level, message, fields)
            log.log(level, message, **fields)
        else:
            logged.count += 1
            logged.fields = fields

    def log_repeats(self, now: float) -> None:
        """Log again, with its count and its latest text, what came again in an hour's time.

        What did not is forgotten: when it comes, it is logged at once.
        """
        if not self._logged or abs(now - self._checked_at) < CHECK_EVERY:
            return
        self._checked_at = now
        for key, logged in list(self._logged.items()):
            # A wall clock that was set back far silences nothing.
            if abs(now - logged.at) < AGAIN:
                continue
            if logged.count == 0:
                del self._logged[key]
                continue
            fields = {**logged.fields, "count": logged.count}
            log.log(logged.level, logged.message, **fields)
            logged.at, logged.count = now, 0


class EventTrouble:
    """Trouble with events, by their row in the timetable."""

    def __init__(self, trouble: Trouble, events: Sequence[Event]) -> None:
        self._trouble = trouble
        self._events = events

    def log(self, row: int, kind: str, reason: str, now: float) -> None:
        """Log what is wrong with an event as ``Trouble.log`` does; what is of one ``kind`` is one
        trouble.
        """
        name = self._events[row].name
        self._trouble.log((name, kind), {"event": name, "reason": reason}, now)

    def log_slow(self, row: int, took: float, now: float) -> None:
        """Log that the condition of an event took ``took`` seconds."""
        name = self._events[row].name
        fields = {"event": name, "condition_took": round(took, 3)}
        self._trouble.log((name, "slow"), fields, now, message="slow", level=logging.WARNING)


def some_of(names: Sequence[str], most: int) -> str:
    """The first ``most`` of ``names`` in one line, with the number of the others."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
