"""The loop: tick on what is due, sleep until something is, live through everything in between."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from clock.errors import LedgerError, RecurrenceError
from clock.ledger.ledger import Claim, Ledger, Outcome
from clock.schedule.event import Event
from clock.stop import Stop
from clock.timetable import Due, Timetable

LONGEST_SLEEP = 1.0
"""Seconds. The wall clock is looked at this often, whatever the timetable says, because it may
jump."""

SUSPENDED = 5.0
"""Seconds between two passes after which the process must have been stopped, its host suspended or
its clock set: what passed meanwhile could not be claimed, and the catch-up rule holds for it."""

CLAIMED_AT_ONCE = 500
"""Claims in one round trip: a few milliseconds of the server's time, and a stop is obeyed in
between."""

BACK_OFF = (0.0, 0.05, 0.1, 0.2, 0.5)
"""Seconds before the first tries after a failure; from then on, ``LONGEST_SLEEP``."""

log = logging.getLogger("clock")


class Loop:
    """Claims what is due, as long as it runs. Nothing that happens to one event or to the server
    ends it.
    """

    def __init__(
        self,
        events: Sequence[Event],
        ledger: Ledger,
        stop: Stop,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        """``now`` gives the present moment in UTC seconds since 1970."""
        self._events = [event for event in events if event.enabled]
        self._all_events = events
        self._ledger = ledger
        self._stop = stop
        self._now = now
        self._timetable = Timetable([event.recurrence for event in self._events])
        self._fired: list[int | None] = [None] * len(self._events)
        self._enrolled = False
        self._last_pass: float | None = None
        self._failures = 0
        self._failure = ""
        self._refused: set[int] = set()

    def run(self) -> None:
        """Run until the stop is requested."""
        while not self._stop.is_set():
            self._stop.wait(self.turn())

    def turn(self) -> float:
        """One turn of the loop: a tick, if the server can be reached. Returns the seconds to
        sleep.
        """
        now = self._now()
        try:
            if not self._enrolled:
                self._enrol(now)
            elif self._failures or (
                self._last_pass is not None and now - self._last_pass > SUSPENDED
            ):
                self._timetable.catch_up(now)
            self._tick(now)
        except LedgerError as error:
            return self._failed(error)
        finally:
            self._last_pass = self._now()
        self._succeeded()
        return self._pause(self._now())

    def _enrol(self, now: float) -> None:
        records = dict(
            zip(
                (event.name for event in self._all_events),
                self._ledger.enrol(self._all_events, now),
                strict=True,
            )
        )
        for index, event in enumerate(self._events):
            record = records[event.name]
            self._fired[index] = record.fired
            with self._errors_of(event):
                self._timetable.begin(index, record.decided)
        self._timetable.catch_up(now)
        self._enrolled = True

    def _tick(self, now: float) -> None:
        for due in self._batches(now):
            claims = [
                Claim(self._events[each.index], each.scheduled, self._fired[each.index])
                for each in due
            ]
            claimed_at = self._now()
            try:
                outcomes = self._ledger.claim(claims, claimed_at)
            except BaseException:
                self._timetable.put_back(due)
                raise
            for each, outcome in zip(due, outcomes, strict=True):
                self._settle(each, outcome, claimed_at)

    def _batches(self, now: float) -> Iterator[list[Due]]:
        while not self._stop.is_set():
            due = self._timetable.due(now, CLAIMED_AT_ONCE)
            if not due:
                return
            yield due

    def _settle(self, due: Due, outcome: Outcome, claimed_at: float) -> None:
        event = self._events[due.index]
        if outcome.state == "refused":
            self._timetable.hold(due, claimed_at + LONGEST_SLEEP)
            if due.index not in self._refused:
                self._refused.add(due.index)
                log.error(
                    "refused",
                    extra=_fields(event=event.name, queue=event.job.queue, reason="not a queue"),
                )
            return
        self._refused.discard(due.index)
        self._fired[due.index] = outcome.record.fired
        with self._errors_of(event):
            self._timetable.advance(due, outcome.record.decided)
        if outcome.state != "decided":
            log.info(
                outcome.state,
                extra=_fields(
                    event=event.name,
                    scheduled_at=event.local(due.scheduled),
                    lateness=round(claimed_at - due.scheduled, 3),
                    queue=event.job.queue,
                    job=outcome.job_id,
                ),
            )

    @contextmanager
    def _errors_of(self, event: Event) -> Iterator[None]:
        """An event whose times cannot be known is logged and left out; the others go on."""
        try:
            yield
        except RecurrenceError as error:
            log.error("broken", extra=_fields(event=event.name, reason=str(error)))

    def _failed(self, error: LedgerError) -> float:
        if str(error) != self._failure:
            self._failure = str(error)
            log.error("server away", extra=_fields(reason=self._failure))
        delay = BACK_OFF[self._failures] if self._failures < len(BACK_OFF) else LONGEST_SLEEP
        self._failures += 1
        return delay

    def _succeeded(self) -> None:
        if self._failures:
            log.info("server back", extra=_fields(tries=self._failures))
        self._failures, self._failure = 0, ""

    def _pause(self, now: float) -> float:
        due = self._timetable.next_due()
        return LONGEST_SLEEP if due is None else min(max(due - now, 0.0), LONGEST_SLEEP)


def _fields(**fields: object) -> dict[str, object]:
    return {"fields": fields}
