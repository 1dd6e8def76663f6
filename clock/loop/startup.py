"""The start of a clock: events are enrolled, the soonest due first, then all that can wait."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from clock import log
from clock.errors import ServerError
from clock.ledger.ledger import Ledger
from clock.loop.timetable import Timetable
from clock.schedule.event import Event


class Startup:
    """What is still to be done of the start."""

    def __init__(self, events: Sequence[Event], ledger: Ledger, timetable: Timetable) -> None:
        """The rows of ``timetable`` are those of ``events`` that are enabled."""
        self._events = events
        self._ledger = ledger
        self._timetable = timetable
        self._rest: deque[tuple[Event, int | None]] | None = None
        self._stands_at: float | None = None
        self._chores = deque([self._check_server, self._check_serializer, self._forget_removed])

    @property
    def is_enrolled(self) -> bool:
        """Whether every event is enrolled."""
        return self._rest is not None and not self._rest

    def enrol(
        self, now: float, decided_by: float | None, may_go_on: Callable[[], bool]
    ) -> Iterator[tuple[int, int]]:
        """Enrol events that are not; yields row and last decided occurrence of those that are
        enabled. New ones stand at the ``now`` of the first call, or of the first after one that
        failed. ``decided_by`` is the time that decides, None for the server's. Raises ServerError.
        """
        if self._rest is None:
            self._rest = deque(self._soonest_first(now))
        if self._stands_at is None:
            self._stands_at = now
        rest = [event for event, _ in self._rest]
        try:
            for part in self._ledger.enrol_in_parts(rest, decided_by, self._stands_at, may_go_on):
                for decided in part:
                    _, row = self._rest.popleft()
                    if row is not None:
                        yield row, decided
        except ServerError:
            self._stands_at = None
            raise

    def do_rest(self, now: float, may_go_on: Callable[[], bool]) -> None:
        """Do what no claim has to wait for. Raises ServerError."""
        while self._chores and may_go_on():
            self._chores.popleft()(now)

    def _soonest_first(self, now: float) -> list[tuple[Event, int | None]]:
        enabled = [event for event in self._events if event.enabled]
        following = [self._timetable.following(row, now) for row in range(len(enabled))]
        order = sorted(range(len(enabled)), key=lambda row: following[row] or math.inf)
        others = [(event, None) for event in self._events if not event.enabled]
        return [*((enabled[row], row) for row in order), *others]

    def _check_server(self, _now: float) -> None:
        for warning in self._ledger.warnings():
            log.warning("server", reason=warning)

    def _check_serializer(self, _now: float) -> None:
        for warning in self._ledger.meet_workers(self._events):
            log.warning("serializer", reason=warning)

    def _forget_removed(self, now: float) -> None:
        names = {event.name for event in self._events}
        for name, pause in self._ledger.forget_removed(names, now).items():
            if pause is not None:
                reason = f"its event is in no schedule; {pause.by} paused it: {pause.reason}"
                log.warning("pause removed", event=name, reason=reason)
