"""The loop: tick on what is due, sleep until something is, live through everything in between."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from clock.errors import RecurrenceError, ServerError
from clock.inside import inside_the_clock
from clock.ledger.ledger import ClaimResult, Ledger
from clock.loop.claiming import Claiming
from clock.loop.conditions import Conditions
from clock.loop.future_records import FutureRecords
from clock.loop.outage import Outage
from clock.loop.report import report
from clock.loop.server_time import ServerTime
from clock.loop.startup import Startup
from clock.loop.timekeeper import Timekeeper
from clock.loop.timetable import Timetable, TimetableRow
from clock.loop.trouble import EventTrouble, Trouble
from clock.recurrence.user_code import runs_user_code
from clock.schedule.event import Event
from clock.settings import CONDITION_TIMEOUT
from clock.stop import Stop

if TYPE_CHECKING:
    from clock.loop.heartbeat import Heartbeat

LONGEST_SLEEP = 1.0
"""Seconds. The time is looked at this often, whatever the timetable says: it may jump."""

SHORT_SLEEP = 0.02
"""Seconds before a time at which the loop wakes to sleep the rest anew: Linux lets a sleep end late
by a thousandth of its length, and a short one is exact."""

SUSPENDED = 5.0
"""Seconds between two passes after which the process must have been stopped, its host suspended or
its clock set: what passed meanwhile could not be claimed, and the catch-up rule holds for it."""

SLICE = 0.25
"""Seconds of a pass for the start, and for what is said of the clock. Over a slow line that takes
longer; the rest is left to later passes, so that what is due meanwhile need not wait for it."""

NAMED = 20
"""Events that a stop names whose conditions had not answered."""

log = logging.getLogger("clock")


class Loop:
    """Claims what is due, as long as it runs. Nothing that happens to one event, or to the server,
    ends it.
    """

    def __init__(
        self,
        events: Sequence[Event],
        ledger: Ledger,
        stop: Stop,
        *,
        now: Callable[[], float] | None = None,
        heartbeat: Heartbeat | None = None,
        server_time: ServerTime | None = None,
        condition_timeout: float = CONDITION_TIMEOUT,
        outage: Outage | None = None,
    ) -> None:
        """The server's time decides; where ``now`` is given, it does, in UTC seconds since 1970.

        ``heartbeat`` is called after each pass; a condition has
        ``condition_timeout`` seconds for its answer; ``outage`` is told when the server is away.
        """
        self._all_events = events
        self._events = [event for event in events if event.enabled]
        self._ledger = ledger
        self._stop = stop
        self._time = Timekeeper(ledger, now, server_time or ServerTime())
        self._heartbeat = heartbeat
        self._last_pass: float | None = None
        self._outage = Outage() if outage is None else outage
        self._trouble = Trouble()
        self._condition_timeout = condition_timeout
        self._was_heard = False
        self._was_held = False
        self._begin_by_records()

    def _begin_by_records(self) -> None:
        """Let all events be enrolled, and each go on from where its record stands."""
        events, trouble = self._events, EventTrouble(self._trouble, self._events)
        self._event_trouble = trouble
        self._timetable = Timetable([_row(event) for event in events])
        self._start = Startup(self._all_events, self._ledger, self._timetable)
        self._future_records = FutureRecords(events, self._ledger)
        self._conditions = Conditions(
            events,
            self._timetable,
            trouble,
            timeout=self._condition_timeout,
            moment=time.monotonic,
        )
        self._claiming = Claiming(
            events,
            self._ledger,
            self._timetable,
            conditions=self._conditions,
            timekeeper=self._time,
            future_records=self._future_records,
            trouble=trouble,
            stop=self._stop,
            settled=self._settled,
        )

    def run(self) -> None:
        """Run until the stop is requested."""
        try:
            while not self._stop.is_set():
                seconds = self.turn()
                self._stop.wait(seconds, self._conditions.wakeup if self._conditions else None)
        finally:
            self._conditions.wakeup.close()
        self._report_unanswered()
        if self._heartbeat is not None and not self._outage:
            self._heartbeat.ended(self._time.shown())

    def turn(self) -> float:
        """One turn of the loop: a tick, if the server can be reached. Returns the seconds to
        sleep.
        """
        with inside_the_clock():
            return self._turn()

    def _turn(self) -> float:
        self._was_heard = False
        try:
            self._time.keep()
            now = self._time.now()
            if self._time.is_held:
                self._was_held = True
                self._report_pass(_for_a_while())
                return LONGEST_SLEEP
            self._start_over_if_time_went_back()
            if self._could_not_claim(now):
                self._recover()
                self._timetable.catch_up(now)
            if not self._start.is_enrolled:
                self._claiming.tick(now)
                self._enrol(now)
            self._lower_records(now)
            self._claiming.tick(self._time.now())
            may_go_on = _for_a_while()
            self._report_pass(may_go_on)
            if self._start.is_enrolled:
                self._start.do_rest(now, may_go_on)
        except ServerError as error:
            return self._outage.failed(error)
        finally:
            self._last_pass = self._time.now()
        self._was_held = False
        self._trouble.passed(self._time.now())
        # A tick that only asked users' code does not know whether the server is back.
        if self._was_heard or not self._conditions:
            self._outage.over()
        return self._pause(self._time.now())

    def _report_pass(self, may_go_on: Callable[[], bool]) -> None:
        if self._heartbeat is not None:
            is_starting = not self._start.is_enrolled
            self._heartbeat.passed(self._time.shown(), is_starting=is_starting, may_go_on=may_go_on)

    def _report_unanswered(self) -> None:
        for event, scheduled in islice(self._conditions.conditions(), NAMED):
            reason = "its condition was still being asked; the next start decides"
            fields = {"event": event.name, "scheduled_at": event.local(scheduled), "reason": reason}
            log.warning("abandoned", extra={"fields": fields})

    def _start_over_if_time_went_back(self) -> None:
        """Begin anew where the server's time went back so far that records are lowered, not waited
        out: what waits here waits for a time that is as far away.
        """
        # What users' code was asked belongs to events as they stand now; answers are not far.
        if self._time.has_gone_back and not self._conditions:
            self._time.has_gone_back, self._last_pass = False, None
            self._conditions.wakeup.close()
            self._begin_by_records()

    def _could_not_claim(self, now: float) -> bool:
        """Whether nothing could be claimed for a while before this pass."""
        if self._last_pass is None or self._outage or self._was_held:
            return True
        return now - self._last_pass > SUSPENDED

    def _enrol(self, now: float) -> None:
        for index, decided in self._start.enrol(now, self._time.decided_by(), _for_a_while()):
            if self._future_records.add(index, decided, now):
                continue
            self._begin(index, decided, now, horizon=now)
        self._was_heard = True

    def _lower_records(self, now: float) -> None:
        """Go on with the events whose records were in the future, and are so no more."""
        present, left = self._future_records.lower(now, self._time.decided_by())
        for index, reason in left:
            self._event_trouble.say(index, "record", reason, now)
        for index, decided in present:
            if decided is None:
                self._claiming.unknown[index] = int(now)
            self._begin(index, int(now) if decided is None else decided, now)
        self._enrol_again()

    def _begin(self, index: int, decided: int, now: float, horizon: float = 0) -> None:
        try:
            self._timetable.begin(index, decided, horizon)
        except RecurrenceError as error:
            # An event whose times cannot be known is left out; the others go on.
            self._event_trouble.say(index, "times", str(error), now)

    def _settled(self, recorded: Sequence[ClaimResult], now: float) -> None:
        """A batch was decided at ``now``."""
        self._was_heard = True
        if self._heartbeat is not None:
            self._heartbeat.claimed(recorded, now)
        report(recorded, now, self._ledger.job_id)
        self._enrol_again()

    def _enrol_again(self) -> None:
        """Tell a server that lost its data what is left of them, which is in this process."""
        unknown = self._claiming.unknown
        if unknown:
            # A pause must be there before its event can fire again.
            self._recover()
        while unknown:
            stands_at = next(iter(unknown.values()))
            alike = [index for index, at in unknown.items() if at == stands_at]
            events = [self._events[index] for index in alike]
            self._ledger.enrol(events, self._time.decided_by(), stands_at)
            for index in alike:
                del unknown[index]

    def _recover(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat.recover(self._time.shown())

    def _pause(self, now: float) -> float:
        if not self._start.is_enrolled:
            return 0.0
        due = self._timetable.next_due()
        left = LONGEST_SLEEP if due is None else max(due - now, 0.0)
        answered = self._conditions.due_in()
        if answered is not None:
            left = min(left, answered)
        return left if left <= SHORT_SLEEP else min(left - SHORT_SLEEP, LONGEST_SLEEP)


def _for_a_while() -> Callable[[], bool]:
    """Whether the ``SLICE`` of time that begins now is not over."""
    end = time.monotonic() + SLICE
    return lambda: time.monotonic() < end


def _row(event: Event) -> TimetableRow:
    return TimetableRow(
        recurrence=event.recurrence,
        catch_up=event.policy.catch_up,
        within=event.policy.within,
        runs_user_code=runs_user_code(event.recurrence),
    )
