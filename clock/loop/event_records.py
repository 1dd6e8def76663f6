"""Where the records of events stand: at an instant, too far in the future, or nowhere any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from clock import log
from clock.ledger.ledger import Ledger
from clock.ledger.lower import is_ahead
from clock.loop.timekeeper import Timekeeper
from clock.loop.timetable import Timetable
from clock.loop.trouble import EventTrouble
from clock.schedule.event import Event

CHECK_EVERY = 5.0
"""Seconds between two attempts to move records back that could not be: somebody may have done it.
"""


@dataclass(slots=True, eq=False)
class EventRecords:
    """Enters events in the timetable where their records stand. One whose record is in the future,
    or lost, is entered once that is put right.

    Events are known by their row in the timetable; instants are UTC seconds since 1970.
    """

    events: Sequence[Event]
    ledger: Ledger
    timetable: Timetable
    timekeeper: Timekeeper
    trouble: EventTrouble
    _future: set[int] = field(default_factory=set, init=False)
    _checked_at: float = field(default=0.0, init=False)
    _lost: dict[int, int] = field(default_factory=dict, init=False)

    def enter(
        self, row: int, decided: int, now: float, unclaimed_until: float | None = None
    ) -> None:
        """Enter an event whose record stands at ``decided``, unclaimed until then, else ``now``."""
        if not self.is_in_future(row, decided, now):
            horizon = now if unclaimed_until is None else unclaimed_until
            self.timetable.begin(row, decided, horizon)

    def drop(self, row: int) -> None:
        """Forget an event that is removed, or has other times."""
        self._future.discard(row)
        self._lost.pop(row, None)

    def is_in_future(self, row: int, decided: int, now: float) -> bool:
        """Whether ``decided`` is too far in the future to be waited out; its record is then moved
        back by the next ``move_back``.
        """
        if not is_ahead(decided, now):
            return False
        self._future.add(row)
        self._checked_at = 0.0
        return True

    def lost(self, row: int, stands_at: int) -> None:
        """Note that the ledger has no record of an event, which stands at ``stands_at``."""
        self._lost[row] = stands_at

    @property
    def are_lost(self) -> bool:
        """Whether the ledger has lost records."""
        return bool(self._lost)

    def enrol_lost(self) -> None:
        """Enrol again the events whose records were lost, where they stand. Raises ServerError."""
        while self._lost:
            stands_at = next(iter(self._lost.values()))
            rows = [row for row, at in self._lost.items() if at == stands_at]
            events = [self.events[row] for row in rows]
            self.ledger.enrol(events, self.timekeeper.decided_by(), stands_at)
            for row in rows:
                del self._lost[row]

    def move_back(self, now: float) -> None:
        """Move back the records that are in the future, and enter their events. Raises ServerError.

        One whose history does not list all that fired in the future stays where it is.
        """
        if not self._future or 0 <= now - self._checked_at < CHECK_EVERY:
            return
        self._checked_at = now
        rows = sorted(self._future)
        names = [self.events[row].name for row in rows]
        records = self.ledger.lower(names, self.timekeeper.decided_by())
        for row, record in zip(rows, records, strict=True):
            event, decided = self.events[row], record.decided
            if decided is not None and is_ahead(decided, now):
                self.trouble.log(row, "record", _reason(event, decided), now)
                continue
            self._future.discard(row)
            if record.is_lowered:
                reason = "it stood in the future; what fired there is known, and fires no more"
                log.warning("record moved back", event=event.name, reason=reason)
            if decided is None:
                self.lost(row, int(now))
            self.timetable.begin(row, int(now) if decided is None else decided)


def _reason(event: Event, decided: int) -> str:
    return (
        f"its record stands at {event.local(decided).isoformat()}, in the future, and does not "
        "list all that fired since; nothing fires before that, unless you run "
        f"clock rewind {event.name!r}"
    )
