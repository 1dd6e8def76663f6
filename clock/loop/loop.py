"""The loop: tick, sleep until something is due, and survive everything in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from clock.errors import ServerError
from clock.inside import inside_the_clock
from clock.ledger.ledger import ClaimResult, Ledger
from clock.loop.dispatcher import Dispatcher
from clock.loop.outage import Outage
from clock.loop.report import report
from clock.loop.row_changes import RowChanges
from clock.loop.server_time import ServerTime
from clock.loop.startup import Startup
from clock.loop.timekeeper import Timekeeper
from clock.loop.trouble import EventTrouble, Trouble
from clock.loop.wakeup import Wakeup
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
"""Seconds between two ticks after which the process must have been stopped, its host suspended or
its clock set: what passed meanwhile could not be claimed, and the catch-up rule holds for it."""

SLICE = 0.25
"""Seconds of a tick for the start, and for the heartbeat. Over a slow line that takes longer; the
rest is left to later ticks, so that what is due meanwhile need not wait for it."""


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
        rows: RowChanges | None = None,
    ) -> None:
        """The server's time decides; where ``now`` is given, it does, in UTC seconds since 1970.

        ``heartbeat`` beats after each tick; a condition has ``condition_timeout`` seconds for its
        answer; ``outage`` counts the ticks that failed because the server is away; ``rows`` are
        changes of the rows of sources.
        """
        self._events = events
        self._ledger = ledger
        self._stop = stop
        self._time = Timekeeper(ledger, now, server_time or ServerTime())
        self._heartbeat = heartbeat
        self._outage = Outage() if outage is None else outage
        self._rows = rows
        self._trouble = Trouble()
        self._condition_timeout = condition_timeout
        self._last_tick: float | None = None
        self._has_server_replied = False
        self._was_held = False
        self._start()

    def _start(self) -> None:
        """Let all events be enrolled, and each go on from where its record stands."""
        enabled = [event for event in self._events if event.enabled]
        self._dispatcher = Dispatcher(
            enabled,
            self._ledger,
            self._stop,
            timekeeper=self._time,
            trouble=EventTrouble(self._trouble, enabled),
            condition_timeout=self._condition_timeout,
            on_results=self._handle_results,
        )
        self._user_code, self._records = self._dispatcher.user_code, self._dispatcher.records
        self._startup = Startup(self._events, self._ledger, self._dispatcher.timetable)

    def run(self) -> None:
        """Tick until the stop is requested."""
        try:
            while not self._stop.is_set():
                seconds = self.tick()
                self._stop.wait(seconds, *self._wakeups())
        finally:
            self._user_code.wakeup.close()
        self._user_code.log_unanswered()
        if self._heartbeat is not None and not self._outage:
            self._heartbeat.ended(self._time.shown())

    def _wakeups(self) -> list[Wakeup]:
        wakeups = [self._user_code.wakeup] if self._user_code else []
        return wakeups if self._rows is None else [*wakeups, self._rows.wakeup]

    def tick(self) -> float:
        """Claim what is due, if the server can be reached; returns the seconds to sleep."""
        with inside_the_clock():
            self._has_server_replied = False
            try:
                is_held = self._tick()
            except ServerError as error:
                return self._outage.failed(error)
            finally:
                self._last_tick = self._time.now()
            if is_held:
                return LONGEST_SLEEP
            self._trouble.log_repeats(self._time.now())
            # A tick that only called user code does not know whether the server is back.
            if self._has_server_replied or not self._user_code:
                self._outage.over()
            return self._seconds_to_sleep(self._time.now())

    def _tick(self) -> bool:
        """Returns whether nothing may be claimed, because the server's time jumped. Raises
        ServerError.
        """
        self._time.read()
        now = self._time.now()
        if self._time.is_held:
            self._was_held = True
            self._beat(_for_a_while())
            return True
        self._start_over_if_time_went_back()
        if self._could_not_claim(now):
            self._recover()
            self._dispatcher.timetable.catch_up(now)
        if not self._startup.is_enrolled:
            self._dispatcher.dispatch(now)
            self._enrol(now)
        if self._rows is not None and self._startup.is_enrolled:
            self._rows.apply(self._dispatcher, now)
        self._records.move_back(now)
        self._enrol_lost()
        self._dispatcher.dispatch(self._time.now())
        may_go_on = _for_a_while()
        self._beat(may_go_on)
        if self._startup.is_enrolled:
            self._startup.do_rest(now, may_go_on)
        self._was_held = False
        return False

    def _start_over_if_time_went_back(self) -> None:
        """Start anew where the server's time went back so far that records are moved back, not
        waited out: what waits here waits for a time that is as far away.
        """
        # What users' code was asked belongs to events as they stand now; answers are not far.
        if self._time.has_gone_back and not self._user_code:
            self._time.has_gone_back, self._last_tick = False, None
            self._user_code.wakeup.close()
            self._start()
            if self._rows is not None:
                self._rows.renew()

    def _could_not_claim(self, now: float) -> bool:
        """Whether nothing could be claimed for a while before this tick."""
        if self._last_tick is None or self._outage or self._was_held:
            return True
        return now - self._last_tick > SUSPENDED

    def _enrol(self, now: float) -> None:
        for row, decided in self._startup.enrol(now, self._time.decided_by(), _for_a_while()):
            self._records.enter(row, decided, now)
        self._has_server_replied = True

    def _enrol_lost(self) -> None:
        """Enrol again what a server lost; what is left of that is in this process."""
        if self._records.are_lost:
            # A pause must be there before its event can fire again.
            self._recover()
            self._records.enrol_lost()

    def _handle_results(self, recorded: Sequence[ClaimResult], now: float) -> None:
        """A batch was decided at ``now``."""
        self._has_server_replied = True
        if self._heartbeat is not None:
            self._heartbeat.claimed(recorded, now)
        report(recorded, now, self._ledger.job_id)
        self._enrol_lost()

    def _beat(self, may_go_on: Callable[[], bool]) -> None:
        if self._heartbeat is not None:
            is_starting = not self._startup.is_enrolled
            self._heartbeat.beat(self._time.shown(), is_starting=is_starting, may_go_on=may_go_on)

    def _recover(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat.recover(self._time.shown())

    def _seconds_to_sleep(self, now: float) -> float:
        if not self._startup.is_enrolled or self._rows:
            return 0.0
        left = self._dispatcher.seconds_to_next(now)
        if left is None:
            return LONGEST_SLEEP
        return left if left <= SHORT_SLEEP else min(left - SHORT_SLEEP, LONGEST_SLEEP)


def _for_a_while() -> Callable[[], bool]:
    """Whether the ``SLICE`` of time that begins now is not over."""
    end = time.monotonic() + SLICE
    return lambda: time.monotonic() < end
