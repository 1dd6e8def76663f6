"""The loop: tick on what is due, sleep until something is, live through everything in between."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from clock.asking import Asking, Ready
from clock.errors import LedgerError, RecurrenceError
from clock.future_records import FutureRecords
from clock.inside import inside_the_clock
from clock.ledger.ledger import Claim, Ledger, Outcome, Sent
from clock.ledger.lower import WAITED_OUT
from clock.outage import Outage
from clock.recurrence.user_code import runs_user_code
from clock.report import report
from clock.schedule.event import Event
from clock.server_time import ServerTime
from clock.settings import CONDITION_TIMEOUT
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

CATCHING_UP = 0.5
"""Seconds of one tick that events which are behind may take: then the clock says that it is alive,
and looks what has become due."""

SLICE = 0.25
"""Seconds of a pass for the start, and for what is said of the clock. Over a slow line that takes
longer; the rest is left to later passes, so that what is due meanwhile need not wait for it."""

NAMED = 20
"""Events that a stop names whose conditions had not answered."""

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
        condition_timeout: float = CONDITION_TIMEOUT,
    ) -> None:
        """The server's time decides; where ``now`` is given, it does, in UTC seconds since 1970.

        ``watch`` makes, after the first pass, what is called after each pass; a condition has
        ``condition_timeout`` seconds for its answer.
        """
        self._all_events = events
        self._events = [event for event in events if event.enabled]
        self._ledger = ledger
        self._stop = stop
        self._time = Timekeeper(ledger, now, server_time or ServerTime())
        self._make_watch = watch
        self._watch: Watch | None = None
        self._untold: list[tuple[list[Outcome], float]] = []
        self._last_pass: float | None = None
        self._outage = Outage()
        self._trouble = Trouble()
        self._condition_timeout = condition_timeout
        self._was_heard = False
        self._was_held = False
        self._has_gone_back = False
        self._noticed = 0.0
        self._under_way: deque[Batch] = deque()
        self._too_early: list[Due] = []
        self._begin_by_records()

    def _begin_by_records(self) -> None:
        """Let all events be enrolled, and each go on from where its record stands."""
        events = self._events
        self._timetable = Timetable([_row(event) for event in events])
        self._start = Start(self._all_events, self._ledger, self._timetable)
        self._future_records = FutureRecords(events, self._ledger)
        self._asking = Asking(events, self._timetable, self._trouble, self._condition_timeout)
        self._unknown: dict[int, int] = {}

    def run(self) -> None:
        """Run until the stop is requested."""
        try:
            while not self._stop.is_set():
                seconds = self.turn()
                self._stop.wait(seconds, self._asking.bell if self._asking else None)
        finally:
            self._asking.bell.close()
        self._report_unanswered()
        if self._watch is not None and not self._outage:
            self._watch.ended(self._time.shown())

    @property
    def is_asking(self) -> bool:
        """Whether users' code was asked and has not answered, so that a turn may come early."""
        return bool(self._asking)

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
            self._heed_going_back(now)
            if self._could_not_claim(now):
                self._recover()
                self._timetable.catch_up(now)
            if not self._start.is_enrolled:
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
            # A reply to a claim says the server's time too.
            self._notice_going_back(self._last_pass)
        self._was_held = False
        self._trouble.passed(self._time.now())
        # A tick that only asked users' code does not know whether the server is back.
        if self._was_heard or not self._asking:
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

    def _report_unanswered(self) -> None:
        for event, scheduled in islice(self._asking.conditions(), NAMED):
            reason = "its condition was still being asked; the next start decides"
            fields = {"event": event.name, "scheduled_at": event.local(scheduled), "reason": reason}
            log.warning("abandoned", extra={"fields": fields})

    def _heed_going_back(self, now: float) -> None:
        """Begin anew where the server's time went back so far that records are lowered, not waited
        out: what waits here waits for a time that is as far away.
        """
        self._notice_going_back(now)
        # What users' code was asked belongs to events as they stand now; answers are not far.
        if self._has_gone_back and not self._asking:
            self._has_gone_back, self._last_pass = False, None
            self._asking.bell.close()
            self._begin_by_records()

    def _notice_going_back(self, now: float) -> None:
        # Only the server's time is looked at twice before it is believed.
        if self._time.decided_by() is None:
            self._has_gone_back |= now < self._noticed - WAITED_OUT
            self._noticed = now

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
            self._say(index, "record", reason, now)
        for index, decided in present:
            if decided is None:
                self._unknown[index] = int(now)
            self._begin(index, int(now) if decided is None else decided, now)
        self._enrol_again()

    def _begin(self, index: int, decided: int, now: float, horizon: float = 0) -> None:
        try:
            self._timetable.begin(index, decided, horizon)
        except RecurrenceError as error:
            # An event whose times cannot be known is left out; the others go on.
            self._say(index, "times", str(error), now)

    def _tick(self, now: float) -> None:
        begin = time.monotonic()
        try:
            # While the server decides a batch, the one before is settled and the next one made.
            while True:
                is_over = self._timetable.is_behind and time.monotonic() - begin > CATCHING_UP
                is_sent = not self._stop.is_set() and not is_over and self._send(now)
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
        ready = self._ready(now)
        if not ready:
            return False
        due = [each.due for each in ready]
        try:
            groups = [self._claims(each) for each in ready]
            claims = [claim for group in groups for claim in group]
            started = self._time.started()
            sent = self._ledger.send(claims, self._time.decided_by(), self._time.latest())
        except BaseException:
            self._timetable.put_back(due)
            raise
        self._under_way.append(Batch(due, [len(group) for group in groups], sent, started))
        return True

    def _ready(self, now: float) -> list[Ready]:
        """What is due and can be claimed; what users' code has a part in is asked for."""
        moment = time.monotonic()
        ready = self._asking.ready(CLAIMED_AT_ONCE, moment, now)
        while not ready:
            due = self._timetable.due(now, CLAIMED_AT_ONCE)
            for index, reason in self._timetable.take_broken():
                self._say(index, "times", reason, now)
            steps = self._timetable.take_steps()
            self._asking.take(steps, moment)
            ready = self._asking.ask(due, moment, now)
            if not due and not steps:
                break
        return ready

    def _settle(self) -> None:
        """See what became of the batch that was sent first."""
        now, outcomes = self._ledger.receive(self._under_way[0].sent)
        batch = self._under_way.popleft()
        self._was_heard = True
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
        try:
            self._timetable.advance(due, last.decided)
        except RecurrenceError as error:
            self._say(due.row, "times", str(error), now)

    def _refused(self, due: Due, last: Outcome, claimed_at: float) -> None:
        self._timetable.hold(due, claimed_at + LONGEST_SLEEP)
        queue = self._events[due.row].job.queue
        if last.is_taken:
            job = self._ledger.job_id(last.claim)
            reason = f"its job cannot be enqueued until another job, which has its id {job!r}, goes"
            self._say(due.row, "id", reason, claimed_at)
        else:
            reason = "holds no queue, or nothing may be pushed there"
            self._say(due.row, "queue", f"the key of the queue {queue!r} {reason}", claimed_at)

    def _enrol_again(self) -> None:
        """Tell a server that lost its data what is left of them, which is in this process."""
        if self._unknown:
            # A pause must be there before its event can fire again.
            self._recover()
        while self._unknown:
            stands_at = next(iter(self._unknown.values()))
            alike = [index for index, at in self._unknown.items() if at == stands_at]
            events = [self._events[index] for index in alike]
            self._ledger.enrol(events, self._time.decided_by(), stands_at)
            for index in alike:
                del self._unknown[index]

    def _recover(self) -> None:
        if self._watch is not None:
            self._watch.recover(self._time.shown())

    def _claims(self, ready: Ready) -> list[Claim]:
        due, event = ready.due, self._events[ready.due.row]
        claims = [
            Claim(event, passed.run.last, passed.kind, passed.run.first, passed.run.count)
            for passed in due.passed
        ]
        if due.fire is not None:
            claims.append(Claim(event, due.fire, ready.kind))
        return claims

    def _say(self, index: int, kind: str, reason: str, now: float) -> None:
        fields = {"event": self._events[index].name, "reason": reason}
        self._trouble.say((index, kind), fields, now)

    def _pause(self, now: float) -> float:
        if not self._start.is_enrolled:
            return 0.0
        due = self._timetable.next_due()
        left = LONGEST_SLEEP if due is None else max(due - now, 0.0)
        answered = self._asking.due_in(time.monotonic())
        if answered is not None:
            left = min(left, answered)
        return left if left <= NEAR else min(left - NEAR, LONGEST_SLEEP)


def _for_a_while() -> Callable[[], bool]:
    """Whether the ``SLICE`` of time that begins now is not over."""
    end = time.monotonic() + SLICE
    return lambda: time.monotonic() < end


def _row(event: Event) -> Row:
    return Row(
        recurrence=event.recurrence,
        catch_up=event.policy.catch_up,
        within=event.policy.within,
        runs_user_code=runs_user_code(event.recurrence),
    )


def _fields(**fields: object) -> dict[str, object]:
    return {"fields": fields}
