"""Claiming: what is due is sent to the ledger, a batch ahead of the replies."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from clock.errors import TAKES_NO_JOBS, RecurrenceError
from clock.ledger.ledger import Claim, ClaimResult, Ledger, Sent
from clock.loop.conditions import Conditions, Ready
from clock.loop.future_records import FutureRecords
from clock.loop.timekeeper import Timekeeper
from clock.loop.timetable import Due, Timetable
from clock.loop.trouble import EventTrouble
from clock.schedule.event import Event
from clock.stop import Stop

CLAIMED_AT_ONCE = 250
"""Events in one batch: a few milliseconds of the server's time; a stop is obeyed in between."""

CATCHING_UP = 0.5
"""Seconds of one tick that events which are behind may take: then the clock says that it is alive,
and looks what has become due."""

HELD = 1.0
"""Seconds after which a claim that was refused is made again."""


class Batch(NamedTuple):
    """What was taken from the timetable and sent to be claimed: how many claims for each.

    ``started`` is when it was sent, see ``ServerTime.started``.
    """

    due: Sequence[Due]
    sizes: Sequence[int]
    sent: Sent
    started: float


class Claiming:
    """Claims of the ``events`` of a timetable. Every ``now`` is UTC seconds since 1970."""

    def __init__(
        self,
        events: Sequence[Event],
        ledger: Ledger,
        timetable: Timetable,
        *,
        conditions: Conditions,
        timekeeper: Timekeeper,
        future_records: FutureRecords,
        trouble: EventTrouble,
        stop: Stop,
        settled: Callable[[Sequence[ClaimResult], float], None],
    ) -> None:
        """``settled`` is called for each batch with what was recorded, and when."""
        self._events = events
        self._ledger = ledger
        self._timetable = timetable
        self._conditions = conditions
        self._time = timekeeper
        self._future_records = future_records
        self._trouble = trouble
        self._stop = stop
        self._settled = settled
        self._under_way: deque[Batch] = deque()
        self._too_early: list[Due] = []
        self.unknown: dict[int, int] = {}
        """Events that the ledger does not know, by number, and the instant where each stands."""

    def tick(self, now: float) -> None:
        """Claim what is due, until nothing is or the stop is requested. Raises ServerError."""
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
            self._timetable.put_back(self._conditions.give_back())
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
        due = [item.due for item in ready]
        try:
            groups = [self._claims(item) for item in ready]
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
        ready = self._conditions.ready(CLAIMED_AT_ONCE, now)
        while not ready:
            due = self._timetable.due(now, CLAIMED_AT_ONCE)
            for index, reason in self._timetable.take_broken():
                self._trouble.say(index, "times", reason, now)
            steps = self._timetable.take_steps()
            self._conditions.take(steps)
            ready = self._conditions.sort(due)
            if not due and not steps:
                # Threads take their time to start, so what needs none is claimed before.
                if not self._conditions.begin(CLAIMED_AT_ONCE, now):
                    break
                ready = self._conditions.ready(CLAIMED_AT_ONCE, now)
        return ready

    def _settle(self) -> None:
        """See what became of the batch that was sent first."""
        now, outcomes = self._ledger.receive(self._under_way[0].sent)
        batch = self._under_way.popleft()
        self._time.settled(now, batch.started, is_refused=outcomes is None)
        if outcomes is None:
            self._too_early += batch.due
            self._settled((), now)
            return
        recorded: list[ClaimResult] = []
        at = 0
        for due, size in zip(batch.due, batch.sizes, strict=True):
            last = outcomes[at + size - 1]
            if last.is_unknown:
                self._timetable.put_back([due])
                self.unknown[due.row] = due.pending - 1
            elif last.is_refused or last.is_taken:
                self._refused(due, last, now)
            elif last.is_future:
                recorded += self._put_off(due, outcomes[at : at + size], now)
            else:
                recorded += outcomes[at : at + size]
                self._decided(due, last, now)
            at += size
        self._settled(recorded, now)

    def _put_off(
        self, due: Due, outcomes: Sequence[ClaimResult], now: float
    ) -> Sequence[ClaimResult]:
        """What was due by this clock is in the future by the server's; returns what is not."""
        recorded = [outcome for outcome in outcomes if not outcome.is_future]
        if recorded:
            self._advance(due, recorded[-1].decided, now)
        else:
            self._too_early.append(due)
        return recorded

    def _decided(self, due: Due, last: ClaimResult, now: float) -> None:
        if last.kind is None and self._future_records.add(due.row, last.decided, now):
            return
        self._advance(due, last.decided, now)

    def _advance(self, due: Due, decided: int, now: float) -> None:
        try:
            self._timetable.advance(due, decided)
        except RecurrenceError as error:
            self._trouble.say(due.row, "times", str(error), now)

    def _refused(self, due: Due, last: ClaimResult, claimed_at: float) -> None:
        self._timetable.hold(due, claimed_at + HELD)
        queue = self._events[due.row].job.queue
        if last.is_taken:
            job = self._ledger.job_id(last.claim)
            reason = f"its job cannot be enqueued until another job, which has its id {job!r}, goes"
            self._trouble.say(due.row, "id", reason, claimed_at)
        else:
            reason = f"the key of the queue {queue!r} {TAKES_NO_JOBS}"
            self._trouble.say(due.row, "queue", reason, claimed_at)

    def _claims(self, ready: Ready) -> list[Claim]:
        due, event = ready.due, self._events[ready.due.row]
        claims = [
            Claim(event, passed.run.last, passed.kind, passed.run.first, passed.run.count)
            for passed in due.passed
        ]
        if due.fire is not None:
            claims.append(Claim(event, due.fire, ready.kind))
        return claims
