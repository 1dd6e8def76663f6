"""The loop: tick on what is due, sleep until something is, live through everything in between."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from clock.decision import Kind
from clock.errors import LedgerError, RecurrenceError
from clock.future_records import FutureRecords
from clock.inside import inside_the_clock
from clock.ledger.ledger import Claim, Ledger, Outcome, Sent
from clock.outage import Outage
from clock.report import report
from clock.schedule.event import Event, Occurrence
from clock.server_time import ServerTime
from clock.start import Start
from clock.stop import Stop
from clock.timekeeper import Timekeeper
from clock.timetable import Due, Row, Timetable
from clock.trouble import Trouble

if TYPE_CHECKING:
    from clock.watch.watch import Watch

LONGEST_SLEEP = 1.0
"""Seconds. The time is looked at this often, whatever the timetable says: it may jump."""

NEAR = 0.02
"""Seconds before a time at which the loop wakes to sleep the rest anew: Linux lets a sleep end late
by a thousandth of its length, and a short one is exact."""

SUSPENDED = 5.0
"""Seconds between two passes after which the process must have been stopped, its host suspended or
its clock set: what passed meanwhile could not be claimed, and the catch-up rule holds for it."""

CLAIMED_AT_ONCE = 250
"""Events in one batch: a few milliseconds of the server's time; a stop is obeyed in between."""

SLICE = 0.25
"""Seconds of a pass for the start, and for what is said of the clock. Over a slow line that takes
longer; the rest is left to later passes, so that what is due meanwhile need not wait for it."""

SLOW_CONDITION = 0.1
"""Seconds. A condition is asked in the middle of a tick; a slower one makes other events late."""

log = logging.getLogger("clock")


class Batch(NamedTuple):
    """What was taken from the timetable and sent to be claimed: how many claims for each.

    ``started`` is when it was sent, see ``ServerTime.started``.
    """

    due: Sequence[Due]
    sizes: Sequence[int]
    sent: Sent
    started: float


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
        watch: Callable[[], Watch] | None = None,
        server_time: ServerTime | None = None,
    ) -> None:
        """The server's time decides; where ``now`` is given, it does, in UTC seconds since 1970.

        ``watch`` makes, after the first pass, what is told of each pass.
        """
        self._events = [event for event in events if event.enabled]
        self._ledger = ledger
        self._stop = stop
        self._time = Timekeeper(ledger, now, server_time or ServerTime())
        self._make_watch = watch
        self._watch: Watch | None = None
        self._untold: list[tuple[list[Outcome], float]] = []
        self._timetable = Timetable([_row(event) for event in self._events])
        self._start = Start(events, ledger, self._timetable)
        self._last_pass: float | None = None
        self._outage = Outage()
        self._trouble = Trouble(self._events)
        self._future_records = FutureRecords(self._events, ledger, self._trouble)
        self._unknown: dict[int, int] = {}
        self._under_way: deque[Batch] = deque()
        self._too_early: list[Due] = []

    def run(self) -> None:
        """Run until the stop is requested."""
        while not self._stop.is_set():
            self._stop.wait(self.turn())
        if self._watch is not None and not self._outage:
            self._watch.ended(self._time.shown())

    def turn(self) -> float:
        """One turn of the loop: a tick, if the server can be reached. Returns the seconds to
        sleep.
        """
        with inside_the_clock():
            return self._turn()

    def _turn(self) -> float:
        try:
            self._time.keep()
            now = self._time.now()
            if self._time.is_held:
                self._report_pass(_for_a_while())
                return LONGEST_SLEEP
            if self._last_pass is None or self._outage or self._was_suspended(now):
                self._timetable.catch_up(now)
            if not self._start.is_enrolled:
                self._tick(now)
                self._enrol(now)
            self._lower_records(now)
            self._tick(self._time.now())
            may_go_on = _for_a_while()
            self._report_pass(may_go_on)
            if self._start.is_enrolled:
                self._start.do_rest(now, may_go_on)
        except LedgerError as error:
            return self._outage.failed(error)
        finally:
            self._last_pass = self._time.now()
        self._outage.over()
        return self._pause(self._time.now())

    def _report_pass(self, may_go_on: Callable[[], bool]) -> None:
        if self._watch is None and self._make_watch is not None:
            self._watch = self._make_watch()
            for outcomes, claimed_at in self._untold:
                self._watch.claimed(outcomes, claimed_at)
            self._untold.clear()
        if self._watch is not None:
            is_starting = not self._start.is_enrolled
            self._watch.passed(self._time.shown(), is_starting=is_starting, may_go_on=may_go_on)

    def _was_suspended(self, now: float) -> bool:
        return self._last_pass is not None and now - self._last_pass > SUSPENDED

    def _enrol(self, now: float) -> None:
        for index, decided in self._start.enrol(now, self._time.decided_by(), _for_a_while()):
            if self._future_records.add(index, decided, now):
                continue
            with self._errors_of(index):
                self._timetable.begin(index, decided, now)

    def _lower_records(self, now: float) -> None:
        """Go on with the events whose records were in the future, and are so no more."""
        for index, decided in self._future_records.lower(now, self._time.decided_by()):
            if decided is None:
                self._unknown[index] = int(now)
            with self._errors_of(index):
                self._timetable.begin(index, int(now) if decided is None else decided)
        self._enrol_again()

    def _tick(self, now: float) -> None:
        try:
            # While the server decides a batch, the one before is settled and the next one made.
            while True:
                is_sent = not self._stop.is_set() and self._send(now)
                if not is_sent and not self._under_way:
                    return
                if not is_sent or len(self._under_way) > 1:
                    self._settle()
        except BaseException:
            self._timetable.put_back([due for batch in self._under_way for due in batch.due])
            self._under_way.clear()
            self._ledger.hang_up()
            raise
        finally:
            # Not before this tick is over: in it they would be due again at once.
            self._timetable.put_back(self._too_early)
            self._too_early.clear()

    def _send(self, now: float) -> bool:
        """Claim the next batch of what is due; returns whether anything is."""
        due = self._timetable.due(now, CLAIMED_AT_ONCE)
        for index, reason in self._timetable.take_broken():
            self._trouble.say(index, reason)
        if not due:
            return False
        try:
            groups = [self._claims(each) for each in due]
            claims = [claim for group in groups for claim in group]
            started = self._time.started()
            sent = self._ledger.send(claims, self._time.decided_by(), self._time.latest())
        except BaseException:
            self._timetable.put_back(due)
            raise
        self._under_way.append(Batch(due, [len(group) for group in groups], sent, started))
        return True

    def _settle(self) -> None:
        """See what became of the batch that was sent first."""
        now, outcomes = self._ledger.receive(self._under_way[0].sent)
        batch = self._under_way.popleft()
        self._time.settled(now, batch.started, is_refused=outcomes is None)
        if outcomes is None:
            self._too_early += batch.due
            return
        recorded: list[Outcome] = []
        at = 0
        for due, size in zip(batch.due, batch.sizes, strict=True):
            last = outcomes[at + size - 1]
            if last.is_unknown:
                self._timetable.put_back([due])
                self._unknown[due.row] = due.pending - 1
            elif last.is_refused or last.is_taken:
                self._refused(due, last, now)
            elif last.is_future:
                recorded += self._put_off(due, outcomes[at : at + size])
            else:
                recorded += outcomes[at : at + size]
                self._decided(due, last, now)
            at += size
        if self._watch is not None:
            self._watch.claimed(recorded, now)
        elif self._make_watch is not None:
            self._untold.append((recorded, now))
        report(recorded, now, self._ledger.job_id)
        self._enrol_again()

    def _put_off(self, due: Due, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """What was due by this clock is in the future by the server's; returns what is not."""
        recorded = [outcome for outcome in outcomes if not outcome.is_future]
        if recorded:
            self._timetable.advance(due, recorded[-1].decided)
        else:
            self._too_early.append(due)
        return recorded

    def _decided(self, due: Due, last: Outcome, now: float) -> None:
        if last.kind is None and self._future_records.add(due.row, last.decided, now):
            return
        if last.kind not in {None, Kind.ERROR}:
            self._trouble.over(due.row)
        try:
            self._timetable.advance(due, last.decided)
        except RecurrenceError as error:
            self._trouble.say(due.row, str(error))

    def _refused(self, due: Due, last: Outcome, claimed_at: float) -> None:
        self._timetable.hold(due, claimed_at + LONGEST_SLEEP)
        queue = self._events[due.row].job.queue
        reason = f"the key of the queue {queue!r} holds no queue, or nothing may be pushed there"
        if last.is_taken:
            job = self._ledger.job_id(last.claim)
            reason = f"its job cannot be enqueued until another job, which has its id {job!r}, goes"
        self._trouble.say(due.row, reason)

    def _enrol_again(self) -> None:
        """Tell a server that lost its data what is left of them, which is in this process."""
        while self._unknown:
            stands_at = next(iter(self._unknown.values()))
            alike = [index for index, at in self._unknown.items() if at == stands_at]
            events = [self._events[index] for index in alike]
            self._ledger.enrol(events, self._time.decided_by(), stands_at)
            for index in alike:
                del self._unknown[index]

    def _claims(self, due: Due) -> list[Claim]:
        event = self._events[due.row]
        claims = [
            Claim(event, passed.run.last, passed.kind, passed.run.first, passed.run.count)
            for passed in due.passed
        ]
        if due.fire is not None:
            claims.append(Claim(event, due.fire, self._asked(due.row, due.fire)))
        return claims

    def _asked(self, index: int, scheduled: int) -> Kind:
        """Whether the event's condition, if it has one, lets an occurrence fire."""
        event = self._events[index]
        condition = event.policy.condition
        if condition is None:
            return Kind.FIRED
        begin = time.monotonic()
        try:
            met = condition(Occurrence(event=event.name, scheduled_at=event.local(scheduled)))
        except Exception as error:  # a condition is the user's code
            self._trouble.say(index, f"its condition raised {type(error).__name__}: {error}")
            return Kind.ERROR
        if (took := time.monotonic() - begin) > SLOW_CONDITION:
            log.warning("slow", extra=_fields(event=event.name, condition_took=round(took, 3)))
        return Kind.FIRED if met else Kind.UNMET

    @contextmanager
    def _errors_of(self, index: int) -> Iterator[None]:
        """An event whose times cannot be known is logged and left out; the others go on."""
        try:
            yield
        except RecurrenceError as error:
            self._trouble.say(index, str(error))

    def _pause(self, now: float) -> float:
        if not self._start.is_enrolled:
            return 0.0
        due = self._timetable.next_due()
        if due is None:
            return LONGEST_SLEEP
        left = max(due - now, 0.0)
        return left if left <= NEAR else min(left - NEAR, LONGEST_SLEEP)


def _for_a_while() -> Callable[[], bool]:
    """Whether the ``SLICE`` of time that begins now is not over."""
    end = time.monotonic() + SLICE
    return lambda: time.monotonic() < end


def _row(event: Event) -> Row:
    return Row(
        recurrence=event.recurrence, catch_up=event.policy.catch_up, within=event.policy.within
    )


def _fields(**fields: object) -> dict[str, object]:
    return {"fields": fields}
