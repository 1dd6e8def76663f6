"""Claims of what is due, sent to the ledger a batch ahead of the replies."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from clock.errors import TAKES_NO_JOBS
from clock.ledger.ledger import Claim, ClaimResult, Ledger, Sent
from clock.loop.due import Due
from clock.loop.event_records import EventRecords
from clock.loop.timekeeper import Timekeeper
from clock.loop.timetable import Timetable
from clock.loop.trouble import EventTrouble
from clock.loop.user_code import Ready
from clock.schedule.event import Event

HELD = 1.0
"""Seconds after which a claim that was refused is made again."""


class Batch(NamedTuple):
    """Claims that were sent together: those of ``due``, ``sizes`` says how many of each.

    ``started`` is when they were sent, see ``ServerTime.started``.
    """

    due: Sequence[Due]
    sizes: Sequence[int]
    sent: Sent
    started: float


@dataclass(slots=True, eq=False)
class Claimer:
    """Claims what is due of ``events`` and advances the timetable by the results.

    ``on_results`` is called for each batch with what was recorded, and when; ``on_gone`` with the
    name of a row that is removed.
    """

    events: Sequence[Event]
    ledger: Ledger
    timetable: Timetable
    records: EventRecords
    timekeeper: Timekeeper
    trouble: EventTrouble
    on_results: Callable[[Sequence[ClaimResult], float], None]
    on_gone: Callable[[str], None] = lambda _name: None
    _batches: deque[Batch] = field(default_factory=deque, init=False)
    _too_early: list[Due] = field(default_factory=list, init=False)

    @property
    def pending(self) -> int:
        """How many batches were sent and not answered."""
        return len(self._batches)

    def send(self, ready: Sequence[Ready]) -> None:
        """Send claims of what is ready. Raises ServerError; it is then back in the timetable."""
        due = [item.due for item in ready]
        try:
            groups = [self._claims(item) for item in ready]
            claims = [claim for group in groups for claim in group]
            started = self.timekeeper.started()
            sent = self.ledger.send(claims, self.timekeeper.decided_by(), self.timekeeper.latest())
        except BaseException:
            self.timetable.put_back(due)
            raise
        self._batches.append(Batch(due, [len(group) for group in groups], sent, started))

    def receive(self) -> None:
        """Receive the results of the batch that was sent first. Raises ServerError."""
        now, results = self.ledger.receive(self._batches[0].sent)
        batch = self._batches.popleft()
        self.timekeeper.settled(now, batch.started, is_refused=results is None)
        recorded: list[ClaimResult] = []
        if results is None:
            self._too_early += batch.due
        else:
            at = 0
            for due, size in zip(batch.due, batch.sizes, strict=True):
                recorded += self._handle(due, results[at : at + size], now)
                at += size
        self.on_results(recorded, now)

    def abandon(self) -> None:
        """Put back what was sent and not answered: claiming it again is safe."""
        self.timetable.put_back([due for batch in self._batches for due in batch.due])
        self._batches.clear()
        self.ledger.hang_up()

    def put_back_too_early(self) -> None:
        """Put back what the server refused as too early, by its time."""
        self.timetable.put_back(self._too_early)
        self._too_early.clear()

    def _handle(
        self, due: Due, results: Sequence[ClaimResult], now: float
    ) -> Sequence[ClaimResult]:
        """Advance an event by the results of its claims; returns those that were decided."""
        last = results[-1]
        if last.is_gone:
            self.on_gone(self.events[due.row].name)
            return ()
        if last.is_unknown:
            self.timetable.put_back([due])
            self.records.lost(due.row, due.pending - 1)
            return ()
        if last.is_refused or last.is_taken:
            self._hold(due, last, now)
            return ()
        if last.is_future:
            # Due by this clock's estimate, and not yet by the server's time.
            results = [result for result in results if not result.is_future]
            if not results:
                self._too_early.append(due)
                return ()
        elif last.kind is None and self.records.is_in_future(due.row, last.decided, now):
            return results
        self.timetable.advance(due, results[-1].decided)
        return results

    def _hold(self, due: Due, last: ClaimResult, now: float) -> None:
        self.timetable.hold(due, now + HELD)
        if last.is_taken:
            job = self.ledger.job_id(last.claim)
            reason = f"its job cannot be enqueued until another job, which has its id {job!r}, goes"
            self.trouble.log(due.row, "id", reason, now)
        else:
            queue = self.events[due.row].job.queue
            reason = f"the key of the queue {queue!r} {TAKES_NO_JOBS}"
            self.trouble.log(due.row, "queue", reason, now)

    def _claims(self, ready: Ready) -> list[Claim]:
        due, event = ready.due, self.events[ready.due.row]
        claims = [
            Claim(event, passed.last, passed.kind, passed.first, passed.occurrences)
            for passed in due.passed
        ]
        if due.fire is not None:
            delay = event.due_at(due.fire, self.ledger.app) - due.fire if event.jitter else 0
            claims.append(Claim(event, due.fire, ready.kind, delay=delay))
        return claims
