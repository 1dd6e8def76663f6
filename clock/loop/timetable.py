"""The timetable: which event is due next, and what is due of it.

It knows instants and rows of events, no names, no server and no present moment. Instants are UTC
seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import NamedTuple

from clock.errors import RecurrenceError, describe_error
from clock.loop.catch_up import catch_up
from clock.loop.catch_up_queue import CatchUpQueue
from clock.loop.due import Behind, Due, TimetableRow
from clock.loop.due_queue import DueQueue
from clock.recurrence.count import is_counted
from clock.recurrence.jitter import Jittered
from clock.recurrence.recurrence import Recurrence

STALE = 1000
"""Entries of times that no row waits for any more, above one for each row that waits, after which
they are removed."""


class UserCall(NamedTuple):
    """A call of user code that the event of row ``row`` waits for.

    ``function`` returns what is due of the event, or its next time, None where there is no other.
    It may run in any thread, and raises what the user code does.
    """

    row: int
    function: Callable[[], Due | int | None]


class Timetable:
    """The coming occurrence of every event, soonest first; at one instant, in the order of events.

    Up to an instant called the horizon nobody could claim, and the catch-up rule says what is due
    of what passed until then. Later occurrences are due one by one, and before those.

    It waits for when an occurrence is due, which jitter makes later than its time; what it takes
    and gives are the times of occurrences.

    An event whose recurrence fails, or does not go forward, is left out, see ``take_broken``.

    Its cost is in what is due: events wait by instant, and of each recurrence that several events
    share the next time is computed once.
    """

    def __init__(self, rows: Sequence[TimetableRow]) -> None:
        """``rows`` stay as long as the timetable does; ``put`` adds others, which come and go."""
        self._rows = list(rows)
        self._lasting = len(self._rows)
        self._waits: dict[int, int] = {}
        self._stale = 0
        self._due_queue = DueQueue()
        self._catch_up_queue = CatchUpQueue(self._rows)
        self._next: dict[int, int | None] = {}
        self._next_after = 0
        self._held: dict[int, int] = {}
        self._broken: list[tuple[int, str]] = []
        self._calls: list[UserCall] = []
        self._horizons: dict[int, float] = {}

    def begin(self, row: int, decided: int, horizon: float = 0) -> None:
        """Enter an event whose last decided occurrence is ``decided``. Where ``horizon`` is later
        than that of the timetable, nobody could claim this one until then.
        """
        recurrence = self._rows[row].recurrence
        if self._rows[row].runs_user_code:
            self._calls.append(UserCall(row, partial(_following, recurrence, decided)))
            self._horizons[row] = horizon
            return
        try:
            self._enter(row, self._following(recurrence, decided), horizon)
        except RecurrenceError as error:
            self._broken.append((row, str(error)))

    def put(self, row: int, content: TimetableRow) -> None:
        """Let ``row`` be another event, or the same with other rules for what is missed. It keeps
        its next time, unless ``drop`` or ``begin`` is called for it.
        """
        if row == len(self._rows):
            self._rows.append(content)
        else:
            self._rows[row] = content
        self._forget_computed()

    def drop(self, row: int) -> None:
        """Take out whatever waits of a row that came by ``put``."""
        if self._waits.pop(row, None) is not None:
            self._stale += 1
        self._held.pop(row, None)
        self._catch_up_queue.drop(row)
        self._forget_computed()

    def _forget_computed(self) -> None:
        # It is kept by the identity of recurrences, which may be reused when one is gone.
        self._next.clear()
        self._catch_up_queue.forget_computed()

    def _wait(self, row: int, at: int) -> None:
        if row >= self._lasting:
            # An earlier time of a row is not searched for, which takes as long as others wait then.
            self._stale += row in self._waits
            self._waits[row] = at
            if self._stale > len(self._waits) + STALE:
                self._rebuild()
        self._due_queue.put(row, at)

    def _is_stale(self, row: int, at: int) -> bool:
        """Whether a row that was taken from the queue does not wait for that time any more."""
        if row < self._lasting:
            return False
        if self._waits.get(row) == at:
            del self._waits[row]
            return False
        self._stale -= 1
        return True

    def _rebuild(self) -> None:
        queue = DueQueue()
        while self._due_queue.soonest() is not None:
            at, row = self._due_queue.take()
            if row < self._lasting:
                queue.put(row, at)
        for row, at in self._waits.items():
            queue.put(row, at)
        self._due_queue, self._stale = queue, 0

    def take_calls(self) -> list[UserCall]:
        """The calls of user code to be made beside the loop; the event of each comes back through
        ``enter``, or when what is due of it is decided.
        """
        calls, self._calls = self._calls, []
        return calls

    def enter(self, row: int, following: int | None) -> None:
        """Enter an event whose next time user code returned; None where there is no other."""
        self._enter(row, following, self._horizons.pop(row, 0))

    def following(self, row: int, after: float) -> int | None:
        """The event's next time after ``after``; None where there is none, its recurrence fails, or
        only user code knows it.
        """
        with suppress(RecurrenceError):
            if not self._rows[row].runs_user_code:
                return self._following(self._rows[row].recurrence, int(after))
        return None

    def catch_up(self, horizon: float) -> None:
        """Nobody could claim until ``horizon``; for what passed, the catch-up rule holds."""
        self._catch_up_queue.horizon = max(self._catch_up_queue.horizon, int(horizon))

    def due(self, now: float, limit: int) -> list[Due]:
        """Take out what is due at ``now``, of at most ``limit`` events: what was not missed first,
        soonest first, then those that are behind, the ones that were due last first.

        Each must come back: through ``advance`` when it is decided, ``put_back`` when nothing is
        known, ``hold`` when it was refused.
        """
        # A time that went back leaves a horizon in the future, and nothing there was missed.
        self._catch_up_queue.horizon = min(self._catch_up_queue.horizon, int(now))
        taken: list[Due] = []
        while (
            len(taken) + len(self._calls) < limit
            and (soonest := self._due_queue.soonest()) is not None
            and soonest <= now
        ):
            self._take_soonest(now, taken)
        is_walked = False
        while len(taken) + len(self._calls) < limit and self._catch_up_queue and not is_walked:
            behind = self._catch_up_queue.take()
            if behind.horizon > now:
                # It was put there before the time went back.
                self._wait(behind.row, behind.pending)
                continue
            with self._recording_failure(behind.row):
                taken.append(self._catch_up_queue.due(behind, now))
            # To walk through what it missed took long enough for one batch.
            is_walked = not is_counted(self._rows[behind.row].recurrence)
        return [self._scheduled(due) for due in taken]

    def _scheduled(self, due: Due) -> Due:
        recurrence = self._rows[due.row].recurrence
        return due.scheduled(recurrence) if isinstance(recurrence, Jittered) else due

    def _due_at(self, row: int, scheduled: int) -> int:
        """When the occurrence of an event at ``scheduled`` is due."""
        recurrence = self._rows[row].recurrence
        delay = recurrence.delay(scheduled) if isinstance(recurrence, Jittered) else 0
        return scheduled + delay

    def _take_soonest(self, now: float, taken: list[Due]) -> None:
        at, index = self._due_queue.take()
        if self._is_stale(index, at):
            return
        pending = self._held.pop(index, at) if self._held else at
        # A held event waited on purpose, so what passed meanwhile was missed like the rest.
        horizon = (
            self._catch_up_queue.horizon if pending == at else max(self._catch_up_queue.horizon, at)
        )
        row = self._rows[index]
        if pending > horizon and row.within is None:
            taken.append(Due(index, pending, pending))
            return
        behind = Behind(index, pending, horizon)
        with self._recording_failure(index):
            if row.runs_user_code:
                behind = self._catch_up_queue.capped(behind)
                self._calls.append(UserCall(index, partial(_caught_up, row, behind, now)))
            elif pending > horizon:
                taken.append(catch_up(row, behind, now))
            else:
                self._catch_up_queue.put(behind)

    def take_broken(self) -> list[tuple[int, str]]:
        """The events left out since the last call because their recurrence failed, each with the
        reason.
        """
        broken, self._broken = self._broken, []
        return broken

    def advance(self, due: Due, decided: int) -> None:
        """Go on behind the event's last ``decided`` occurrence.

        Where that is not all of what was due, the rest is counted anew.
        """
        if decided < due.last:
            self._catch_up_queue.uncap(due.row)
        self.begin(due.row, decided)

    def put_back(self, due: Sequence[Due]) -> None:
        """What was taken is still to be decided."""
        for item in due:
            # It may be taken again within the same second, so with the same horizon.
            self._catch_up_queue.uncap(item.row)
            self._wait(item.row, self._due_at(item.row, item.pending))

    def hold(self, due: Due, until: float) -> None:
        """What was taken cannot be decided now; it is due again at ``until``."""
        pending = self._held[due.row] = self._due_at(due.row, due.pending)
        self._wait(due.row, max(int(until), pending + 1))

    def next_due(self) -> int | None:
        """When something is due next, or None."""
        return self._catch_up_queue.oldest() if self.is_behind else self._due_queue.soonest()

    @property
    def is_behind(self) -> bool:
        """Whether events are still to be caught up."""
        return bool(self._catch_up_queue)

    def _enter(self, row: int, following: int | None, horizon: float) -> None:
        if following is None:
            return
        if following < int(horizon) > self._catch_up_queue.horizon:
            self._held[row], following = following, int(horizon)
        self._wait(row, following)

    @contextmanager
    def _recording_failure(self, row: int) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._broken.append((row, describe_error(error)))

    def _following(self, recurrence: Recurrence | Jittered, after: int) -> int | None:
        if after != self._next_after:
            self._next.clear()
            self._next_after = after
        # By identity: the rows keep their recurrences, and to hash one takes longer than to ask it.
        elif id(recurrence) in self._next:
            return self._next[id(recurrence)]
        following = _following(recurrence, after)
        self._next[id(recurrence)] = following
        return following


def _caught_up(row: TimetableRow, behind: Behind, now: float) -> Due:
    due = catch_up(row, behind, now)
    return due.scheduled(row.recurrence) if isinstance(row.recurrence, Jittered) else due


def _following(recurrence: Recurrence | Jittered, after: int) -> int | None:
    """When the first occurrence later than ``after`` is due."""
    try:
        if isinstance(recurrence, Jittered):
            following = recurrence.following(after)
        else:
            following = recurrence.next(after)
    except Exception as error:  # a stream of times is the user's code
        raise RecurrenceError(describe_error(error)) from error
    if following is not None and following <= after:
        raise RecurrenceError(f"its next time, {following}, is not later than its last, {after}")
    return following
