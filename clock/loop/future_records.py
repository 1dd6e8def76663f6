"""Records in the future: the events that would not fire until then, and what is done about it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from clock.ledger.ledger import Ledger
from clock.ledger.lower import is_ahead
from clock.schedule.event import Event

LOOK_EVERY = 5.0
"""Seconds between two looks at records that could not be lowered: somebody may have done it."""

log = logging.getLogger("clock")


class FutureRecords:
    """The events, by number, whose records are too far in the future to be waited out."""

    def __init__(self, events: Sequence[Event], ledger: Ledger) -> None:
        self._events = events
        self._ledger = ledger
        self._rows: set[int] = set()
        self._looked_at = 0.0

    def add(self, row: int, decided: int, now: float) -> bool:
        """Note that the record of ``row`` stands at ``decided``; whether that is too far ahead.

        Instants are UTC seconds since 1970.
        """
        if not is_ahead(decided, now):
            return False
        self._rows.add(row)
        self._looked_at = 0.0
        return True

    def lower(
        self, now: float, decided_by: float | None
    ) -> tuple[list[tuple[int, int | None]], list[tuple[int, str]]]:
        """Have the records lowered. ``decided_by`` is the time that decides, None for the server's.

        Returns the events that are in the future no more, each with the instant where its record
        stands, None where it has none; and those that are, each with the reason. Raises
        ServerError.
        """
        if not self._rows or 0 <= now - self._looked_at < LOOK_EVERY:
            return [], []
        self._looked_at = now
        rows = sorted(self._rows)
        lowered = self._ledger.lower([self._events[row].name for row in rows], decided_by)
        present: list[tuple[int, int | None]] = []
        left: list[tuple[int, str]] = []
        for row, record in zip(rows, lowered, strict=True):
            event = self._events[row]
            if record.decided is not None and is_ahead(record.decided, now):
                left.append((row, _reason(event, record.decided)))
                continue
            self._rows.discard(row)
            present.append((row, record.decided))
            if record.is_lowered:
                reason = "it stood in the future; what fired there is known, and fires no more"
                fields = {"event": event.name, "reason": reason}
                log.warning("record lowered", extra={"fields": fields})
        return present, left


def _reason(event: Event, decided: int) -> str:
    return (
        f"its record stands at {event.local(decided).isoformat()}, in the future, and does not "
        "list all that fired since; nothing fires before that, unless you run "
        f"clock rewind {event.name!r}"
    )
