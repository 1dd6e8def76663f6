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
from clock.inside import inside_the_clock
from clock.ledger.ledger import Claim, Ledger, Outcome, Sent
from clock.outage import Outage
from clock.report import report
from clock.schedule.event import Event, Occurrence
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

SLOW_CONDITION = 0.1
"""Seconds. A condition is asked in the middle of a tick; a slower one makes other events late."""

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
        outage: Outage | None = None,
    ) -> None:
        """``now`` gives the present moment in UTC seconds since 1970; ``watch`` makes, after the
        first pass, what is told of each pass; ``outage`` is told when the server is away.
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
        self._outage = Outage() if outage is None else outage
        self._trouble = Trouble(self._events)
        self._unknown: dict[int, int] = {}
        self._under_way: deque[Batch] = deque()

    def run(self) -> None:
        """Run until the stop is requested."""
        while not self._stop.is_set():
            self._stop.wait(self.turn())
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
            with self._errors_of(index):
                self._timetable.begin(index, decided[event.name])
        self._timetable.catch_up(now)
        self._enrolled = True
        for warning in self._ledger.warnings():
            log.warning("server", extra=_fields(reason=warning))
        for warning in self._ledger.meet_workers(self._all_events):
            log.warning("serializer", extra=_fields(reason=warning))
        self._ledger.forget_removed(decided.keys(), now)

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

    def _send(self, now: float) -> bool:
        """Claim the next batch of what is due; returns whether anything is."""
        due = self._timetable.due(now, CLAIMED_AT_ONCE)
        for index, reason in self._timetable.take_broken():
            self._trouble.say(index, reason)
        if not due:
            return False
        claimed_at = self._now()
        try:
            groups = [self._claims(each) for each in due]
            sent = self._ledger.send([claim for group in groups for claim in group], claimed_at)
        except BaseException:
            self._timetable.put_back(due)
            raise
        self._under_way.append(Batch(due, [len(group) for group in groups], sent, claimed_at))
        return True

    def _settle(self) -> None:
        """See what became of the batch that was sent first."""
        outcomes = self._ledger.receive(self._under_way[0].sent)
        batch = self._under_way.popleft()
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
                self._decided(due, last)
            at += size
        if self._watch is not None:
            self._watch.claimed(recorded, batch.claimed_at)
        elif self._make_watch is not None:
            self._untold.append((recorded, batch.claimed_at))
        report(recorded, batch.claimed_at, self._ledger.job_id)
        self._enrol_again()

    def _decided(self, due: Due, last: Outcome) -> None:
        if last.kind not in {None, Kind.ERROR}:
            self._trouble.over(due.row)
        try:
            self._timetable.advance(due, last.decided)
        except RecurrenceError as error:
            self._trouble.say(due.row, str(error))

    def _refused(self, due: Due, claimed_at: float) -> None:
        self._timetable.hold(due, claimed_at + LONGEST_SLEEP)
        queue = self._events[due.row].job.queue
        reason = "holds no queue, or nothing may be pushed there"
        self._trouble.say(due.row, f"the key of the queue {queue!r} {reason}")

    def _enrol_again(self) -> None:
        """Tell a server that lost its data what is left of them, which is in this process."""
        while self._unknown:
            stands_at = next(iter(self._unknown.values()))
            alike = [index for index, at in self._unknown.items() if at == stands_at]
            self._ledger.enrol([self._events[index] for index in alike], stands_at)
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
        due = self._timetable.next_due()
        if due is None:
            return LONGEST_SLEEP
        left = max(due - now, 0.0)
        return left if left <= NEAR else min(left - NEAR, LONGEST_SLEEP)


def _row(event: Event) -> Row:
    return Row(
        recurrence=event.recurrence, catch_up=event.policy.catch_up, within=event.policy.within
    )


def _fields(**fields: object) -> dict[str, object]:
    return {"fields": fields}
