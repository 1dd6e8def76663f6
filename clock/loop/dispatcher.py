"""Dispatching: what is due goes from the timetable, by way of its condition, to its claim."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from clock.ledger.ledger import ClaimResult, Ledger
from clock.loop.claimer import Claimer
from clock.loop.due import TimetableRow
from clock.loop.event_records import EventRecords
from clock.loop.timekeeper import Timekeeper
from clock.loop.timetable import Timetable
from clock.loop.trouble import EventTrouble
from clock.loop.user_code import Ready, UserCode
from clock.recurrence.user_code import runs_user_code
from clock.schedule.event import Event
from clock.stop import Stop

CLAIMED_AT_ONCE = 250
"""Events in one batch: a few milliseconds of the server's time; a stop is obeyed in between."""

CATCHING_UP = 0.5
"""Seconds of one tick that events which are behind may take: then the clock says that it is alive,
and looks what has become due."""


class Dispatcher:
    """Dispatches what is due of ``events``, all of them enabled, and of rows that come and go."""

    def __init__(
        self,
        events: list[Event],
        ledger: Ledger,
        stop: Stop,
        *,
        timekeeper: Timekeeper,
        trouble: EventTrouble,
        condition_timeout: float,
        on_results: Callable[[Sequence[ClaimResult], float], None],
    ) -> None:
        """A condition has ``condition_timeout`` seconds; ``on_results`` see ``Claimer``. ``events``
        grows with the rows.
        """
        self._events = events
        self._app = ledger.app
        self._rows: dict[str, int] = {}
        self._free: list[int] = []
        self._stop = stop
        self._trouble = trouble
        self.timetable = Timetable([_row(event, ledger.app) for event in events])
        self.user_code = UserCode(
            events, self.timetable, trouble, timeout=condition_timeout, monotonic=time.monotonic
        )
        self.records = EventRecords(events, ledger, self.timetable, timekeeper, trouble)
        self._claimer = Claimer(
            events,
            ledger,
            self.timetable,
            records=self.records,
            timekeeper=timekeeper,
            trouble=trouble,
            on_results=on_results,
            on_gone=self.remove,
        )

    def put(self, event: Event, decided: int, *, now: float, unclaimed_until: float) -> None:
        """Let a row fire that is new or changed, and enabled; its last decided occurrence is
        ``decided``. What was missed until ``unclaimed_until`` follows its catch-up rule.

        A row whose recurrence is the same keeps its next time. Instants are UTC seconds since 1970.
        """
        row = self._rows.get(event.name)
        if row is None:
            row = self._free.pop() if self._free else len(self._events)
            self._rows[event.name] = row
        elif _times(self._events[row]) == _times(event):
            self._events[row] = event
            self.timetable.put(row, _row(event, self._app))
            return
        else:
            self._drop(row)
        if row == len(self._events):
            self._events.append(event)
        else:
            self._events[row] = event
        self.timetable.put(row, _row(event, self._app))
        self.records.enter(row, decided, now, unclaimed_until)

    def remove(self, name: str) -> None:
        """Let a row fire no more; nothing is done where there is none of that name."""
        row = self._rows.pop(name, None)
        if row is not None:
            self._drop(row)
            self._free.append(row)

    def _drop(self, row: int) -> None:
        self.timetable.drop(row)
        self.records.drop(row)

    def dispatch(self, now: float) -> None:
        """Claim what is due at ``now`` (UTC seconds since 1970), until nothing is or the stop is
        requested. Raises ServerError.
        """
        begin, is_over = time.monotonic(), False
        try:
            # While the server decides a batch, the one before is settled and the next one made.
            while True:
                ready = () if is_over or self._stop.is_set() else self._take_ready(now)
                if ready:
                    self._claimer.send(ready)
                is_over = self.timetable.is_behind and time.monotonic() - begin > CATCHING_UP
                if not ready and not self._claimer.pending:
                    return
                if not ready or self._claimer.pending > 1:
                    self._claimer.receive()
        except BaseException:
            self._claimer.abandon()
            # Until the server is back they may be missed, and the catch-up rule holds for them too.
            self.timetable.put_back(self.user_code.take_waiting())
            raise
        finally:
            # Not before this tick is over: in it they would be due again at once.
            self._claimer.put_back_too_early()

    def seconds_to_next(self, now: float) -> float | None:
        """Seconds until something is due, or a condition is late; None where nothing is."""
        due, timeout = self.timetable.next_due(), self.user_code.next_timeout()
        waits = [] if due is None else [max(due - now, 0.0)]
        return min(waits if timeout is None else [*waits, timeout], default=None)

    def _take_ready(self, now: float) -> Sequence[Ready]:
        """What is due and can be claimed; conditions of the rest, and calls of recurrences that are
        code, are started.
        """
        ready = self.user_code.take_ready(CLAIMED_AT_ONCE, now)
        while not ready:
            due = self.timetable.due(now, CLAIMED_AT_ONCE)
            for row, reason in self.timetable.take_broken():
                # An event whose times cannot be known is left out; the others go on.
                self._trouble.log(row, "times", reason, now)
            calls = self.timetable.take_calls()
            self.user_code.start(calls)
            ready = self.user_code.without_condition(due)
            if not due and not calls:
                # Threads take their time to start, so what needs none is claimed before.
                if not self.user_code.call_conditions(CLAIMED_AT_ONCE, now):
                    break
                ready = self.user_code.take_ready(CLAIMED_AT_ONCE, now)
        return ready


def _times(event: Event) -> tuple[object, ...]:
    return (event.recurrence, event.jitter)


def _row(event: Event, app: str) -> TimetableRow:
    return TimetableRow(
        recurrence=event.jittered(app) or event.recurrence,
        catch_up=event.policy.catch_up,
        within=event.policy.within,
        runs_user_code=runs_user_code(event.recurrence),
    )
