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
from clock.inside import inside_the_clock
from clock.ledger.ledger import Claim, Ledger, Outcome, Sent
from clock.outage import Outage
from clock.recurrence.user_code import runs_user_code
from clock.report import report
from clock.schedule.event import Event
from clock.settings import CONDITION_TIMEOUT
from clock.stop import Stop
from clock.timetable import Due, Row, Timetable
from clock.trouble import Trouble

if TYPE_CHECKING:
    from clock.watch.watch import Watch

LONGEST_SLEEP = 1.0
"""Seconds. The wall clock is looked at this often, whatever the timetable says: it may jump."""

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

NAMED = 20
"""Events that a stop names whose conditions had not answered."""

log = logging.getLogger("clock")


class Batch(NamedTuple):
    """What was taken from the timetable and sent to be claimed: how many claims for each."""

    due: Sequence[Due]
    sizes: Sequence[int]
    sent: Sent
    claimed_at: float


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
        now: Callable[[], float] = time.time,
        watch: Callable[[], Watch] | None = None,
        condition_timeout: float = CONDITION_TIMEOUT,
    ) -> None:
        """``now`` gives the present moment in UTC seconds since 1970; ``watch`` makes, after the
        first pass, what is told of each pass; a condition has ``condition_timeout`` seconds for its
        answer.
        """
        self._all_events = events
        self._events = [event for event in events if event.enabled]
        self._ledger = ledger
        self._stop = stop
        self._now = now
        self._make_watch = watch
        self._watch: Watch | None = None
        self._untold: list[tuple[list[Outcome], float]] = []
        self._timetable = Timetable([_row(event) for event in self._events])
        self._enrolled = False
        self._last_pass: float | None = None
        self._outage = Outage()
        self._trouble = Trouble()
        self._asking = Asking(
            self._events,
            self._timetable,
            self._trouble,
            timeout=condition_timeout,
            moment=time.monotonic,
        )
        self._was_heard = False
        self._unknown: dict[int, int] = {}
        self._under_way: deque[Batch] = deque()

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
            self._watch.ended(self._now())

    def turn(self) -> float:
        """One turn of the loop: a tick, if the server can be reached. Returns the seconds to
        sleep.
        """
        with inside_the_clock():
            return self._turn()

    def _turn(self) -> float:
        now = self._now()
        self._was_heard = False
        try:
            if not self._enrolled:
                self._enrol(now)
            elif self._outage or self._was_suspended(now):
                self._timetable.catch_up(now)
            self._tick(now)
            self._report_pass()
        except LedgerError as error:
            return self._outage.failed(error)
        finally:
            self._last_pass = self._now()
        self._trouble.passed(now)
        # A tick that only asked users' code does not know whether the server is back.
        if self._was_heard or not self._asking:
            self._outage.over()
        return self._pause(self._now())

    def _report_pass(self) -> None:
        if self._watch is None and self._make_watch is not None:
            self._watch = self._make_watch()
            for outcomes, claimed_at in self._untold:
                self._watch.claimed(outcomes, claimed_at)
            self._untold.clear()
        if self._watch is not None:
            self._watch.passed(self._now())

    def _report_unanswered(self) -> None:
        for event, scheduled in islice(self._asking.conditions(), NAMED):
            reason = "its condition was still being asked; the next start decides"
            fields = {"event": event.name, "scheduled_at": event.local(scheduled), "reason": reason}
            log.warning("abandoned", extra={"fields": fields})

    def _was_suspended(self, now: float) -> bool:
        return self._last_pass is not None and now - self._last_pass > SUSPENDED

    def _enrol(self, now: float) -> None:
        decided = dict(
            zip(
                (event.name for event in self._all_events),
                self._ledger.enrol(self._all_events, now),
                strict=True,
            )
        )
        for index, event in enumerate(self._events):
            try:
                self._timetable.begin(index, decided[event.name])
            except RecurrenceError as error:
                # An event whose times cannot be known is left out; the others go on.
                self._say(index, "times", str(error), now)
        self._timetable.catch_up(now)
        self._enrolled = self._was_heard = True
        for warning in self._ledger.warnings():
            log.warning("server", extra=_fields(reason=warning))
        for warning in self._ledger.meet_workers(self._all_events):
            log.warning("serializer", extra=_fields(reason=warning))
        self._ledger.forget_removed(decided.keys(), now)

    def _tick(self, now: float) -> None:
        begin, is_over = time.monotonic(), False
        try:
            # While the server decides a batch, the one before is settled and the next one made.
            while True:
                is_sent = not self._stop.is_set() and not is_over and self._send(now)
                is_over = self._timetable.is_behind and time.monotonic() - begin > CATCHING_UP
                if not is_sent and not self._under_way:
                    return
                if not is_sent or len(self._under_way) > 1:
                    self._settle()
        except BaseException:
            self._timetable.put_back([due for batch in self._under_way for due in batch.due])
            self._under_way.clear()
            # Until the server is back they may be missed, and the catch-up rule holds for them too.
            self._timetable.put_back(self._asking.give_back())
            self._ledger.hang_up()
            raise

    def _send(self, now: float) -> bool:
        """Claim the next batch of what is due; returns whether anything is."""
        ready = self._ready(now)
        if not ready:
            return False
        due = [each.due for each in ready]
        claimed_at = self._now()
        try:
            groups = [self._claims(each) for each in ready]
            sent = self._ledger.send([claim for group in groups for claim in group], claimed_at)
        except BaseException:
            self._timetable.put_back(due)
            raise
        self._under_way.append(Batch(due, [len(group) for group in groups], sent, claimed_at))
        return True

    def _ready(self, now: float) -> list[Ready]:
        """What is due and can be claimed; what users' code has a part in is asked for."""
        ready = self._asking.ready(CLAIMED_AT_ONCE, now)
        while not ready:
            due = self._timetable.due(now, CLAIMED_AT_ONCE)
            for index, reason in self._timetable.take_broken():
                self._say(index, "times", reason, now)
            steps = self._timetable.take_steps()
            self._asking.take(steps)
            ready = self._asking.sort(due)
            if not due and not steps:
                # Threads take their time to start, so what needs none is claimed before.
                if not self._asking.begin(CLAIMED_AT_ONCE, now):
                    break
                ready = self._asking.ready(CLAIMED_AT_ONCE, now)
        return ready

    def _settle(self) -> None:
        """See what became of the batch that was sent first."""
        outcomes = self._ledger.receive(self._under_way[0].sent)
        batch = self._under_way.popleft()
        self._was_heard = True
        recorded: list[Outcome] = []
        at = 0
        for due, size in zip(batch.due, batch.sizes, strict=True):
            last = outcomes[at + size - 1]
            if last.is_unknown:
                self._timetable.put_back([due])
                self._unknown[due.row] = due.pending - 1
            elif last.is_refused:
                self._refused(due, batch.claimed_at)
            else:
                recorded += outcomes[at : at + size]
                self._decided(due, last, batch.claimed_at)
            at += size
        if self._watch is not None:
            self._watch.claimed(recorded, batch.claimed_at)
        elif self._make_watch is not None:
            self._untold.append((recorded, batch.claimed_at))
        report(recorded, batch.claimed_at, self._ledger.job_id)
        self._enrol_again()

    def _decided(self, due: Due, last: Outcome, claimed_at: float) -> None:
        try:
            self._timetable.advance(due, last.decided)
        except RecurrenceError as error:
            self._say(due.row, "times", str(error), claimed_at)

    def _refused(self, due: Due, claimed_at: float) -> None:
        self._timetable.hold(due, claimed_at + LONGEST_SLEEP)
        queue = self._events[due.row].job.queue
        reason = "holds no queue, or nothing may be pushed there"
        self._say(due.row, "queue", f"the key of the queue {queue!r} {reason}", claimed_at)

    def _enrol_again(self) -> None:
        """Tell a server that lost its data what is left of them, which is in this process."""
        while self._unknown:
            stands_at = next(iter(self._unknown.values()))
            alike = [index for index, at in self._unknown.items() if at == stands_at]
            self._ledger.enrol([self._events[index] for index in alike], stands_at)
            for index in alike:
                del self._unknown[index]

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
        due = self._timetable.next_due()
        left = LONGEST_SLEEP if due is None else max(due - now, 0.0)
        answered = self._asking.due_in()
        if answered is not None:
            left = min(left, answered)
        return left if left <= NEAR else min(left - NEAR, LONGEST_SLEEP)


def _row(event: Event) -> Row:
    return Row(
        recurrence=event.recurrence,
        catch_up=event.policy.catch_up,
        within=event.policy.within,
        runs_user_code=runs_user_code(event.recurrence),
    )


def _fields(**fields: object) -> dict[str, object]:
    return {"fields": fields}
