"""The timetable: which event is due next, and what it owes.

It knows instants and numbers of events, no names, no server and no present moment. Instants are UTC
seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from clock.errors import RecurrenceError, describe_error
from clock.loop.catch_up import Passed, owed
from clock.loop.due_queue import DueQueue
from clock.loop.missed import Behind, Missed
from clock.recurrence.count import is_counted
from clock.recurrence.recurrence import Recurrence


class TimetableRow(NamedTuple):
    """What the timetable knows of an event: when, and what is made up of missed times.

    A recurrence that ``runs_user_code`` is not asked by the timetable: it says what to ask.
    """

    recurrence: Recurrence
    catch_up: int = 1
    within: int | None = None
    runs_user_code: bool = False


class Due(NamedTuple):
    """The event of row ``row`` is due: it passes over some runs, and fires at ``fire``, if at all.

    ``pending`` is its oldest undecided occurrence.
    """

    row: int
    pending: int
    fire: int | None
    passed: tuple[Passed, ...] = ()

    @property
    def last(self) -> int:
        """The newest occurrence this decides."""
        return self.passed[-1].run.last if self.fire is None else self.fire


class Step(NamedTuple):
    """A step of the event of row ``row`` that its user's code has a part in.

    ``take`` gives the event's next time, None where there is no other, or what it owes. It may be
    called in any thread, and raises what ``Timetable.begin`` does.
    """

    row: int
    take: Callable[[], Due | int | None]


class Timetable:
    """The coming occurrence of every event, soonest first; at one instant, in the order of events.

    Up to an instant called the horizon nobody could claim, and the catch-up rule says what is due
    of what passed until then. Later occurrences are due one by one, and before those.

    Its cost is in what is due: events wait by instant, and of each recurrence that several events
    share the next time is computed once.
    """

    def __init__(self, rows: Sequence[TimetableRow]) -> None:
        self._rows = rows
        self._due_queue = DueQueue()
        self._coming: dict[int, int | None] = {}
        self._coming_after = 0
        self._held: dict[int, int] = {}
        self._trimmed: dict[int, int] = {}
        self._broken: list[tuple[int, str]] = []
        self._steps: list[Step] = []
        self._horizons: dict[int, float] = {}
        self._missed = Missed()
        self._owing: dict[tuple[object, ...], Due] = {}
        self._owing_at = 0.0
        self._horizon = 0

    def begin(self, index: int, decided: int, horizon: float = 0) -> None:
        """Enter an event whose last decided occurrence is ``decided``. Where ``horizon`` is later
        than that of the timetable, nobody could claim this one until then.

        Raises RecurrenceError where its recurrence fails or does not go forward; it is then out.
        """
        row = self._rows[index]
        if row.runs_user_code:
            self._steps.append(Step(index, partial(_following, row.recurrence, decided)))
            self._horizons[index] = horizon
            return
        self._enter(index, self._following(row.recurrence, decided), horizon)

    def take_steps(self) -> list[Step]:
        """The steps that wait to be taken beside the loop; each then comes back, by ``taken``."""
        steps, self._steps = self._steps, []
        return steps

    def taken(self, index: int, following: int | None) -> None:
        """A step came to the next time of an event; None where there is no other."""
        self._enter(index, following, self._horizons.pop(index, 0))

    def coming(self, index: int, after: float) -> int | None:
        """The event's next time after ``after``; None where there is none, or where only users'
        code knows it. Raises as ``begin`` does.
        """
        row = self._rows[index]
        return None if row.runs_user_code else self._following(row.recurrence, int(after))

    def _enter(self, index: int, following: int | None, horizon: float) -> None:
        if following is None:
            return
        if following < int(horizon) > self._horizon:
            self._held[index], following = following, int(horizon)
        self._due_queue.put(index, following)

    def catch_up(self, horizon: float) -> None:
        """Nobody could claim until ``horizon``; for what passed, the catch-up rule holds."""
        self._horizon = max(self._horizon, int(horizon))

    def due(self, now: float, limit: int) -> list[Due]:
        """Take out what is due at ``now``, of at most ``limit`` events: what was not missed first,
        soonest first, then those that are behind, the ones that were due last first.

        Each must come back: through ``advance`` when it is decided, ``put_back`` when nothing is
        known, ``hold`` when it was refused.
        """
        # A time that went back leaves a horizon in the future, and nothing there was missed.
        self._horizon = min(self._horizon, int(now))
        taken: list[Due] = []
        while (
            len(taken) + len(self._steps) < limit
            and (soonest := self._due_queue.soonest()) is not None
            and soonest <= now
        ):
            at, index = self._due_queue.take()
            pending = self._held.pop(index, at) if self._held else at
            # A held event waited on purpose, so what passed meanwhile was missed like the rest.
            horizon = max(self._horizon, at) if pending != at else self._horizon
            row = self._rows[index]
            if pending > horizon and row.within is None:
                taken.append(Due(index, pending, pending))
                continue
            behind = Behind(index, pending, horizon)
            with self._broken_ones(index):
                if row.runs_user_code:
                    self._steps.append(Step(index, partial(_due, row, self._cut(behind), now)))
                elif pending > horizon:
                    taken.append(_due(row, behind, now))
                else:
                    self._missed.put(behind, row.recurrence)
        while len(taken) + len(self._steps) < limit and self._missed:
            behind = self._missed.take()
            if behind.horizon > now:
                # It was put there before the time went back.
                self._due_queue.put(behind.row, behind.pending)
                continue
            with self._broken_ones(behind.row):
                taken.append(self._caught_up(behind, now))
            if not is_counted(self._rows[behind.row].recurrence):
                # To walk through what it missed took long enough for one batch.
                break
        if not self._missed:
            self._owing.clear()
        return taken

    @contextmanager
    def _broken_ones(self, index: int) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._broken.append((index, describe_error(error)))

    def _caught_up(self, behind: Behind, now: float) -> Due:
        """What an event owes that is behind; of all that owe alike it is found once."""
        row, cut = self._rows[behind.row], self._cut(behind)
        if now != self._owing_at:
            self._owing.clear()
            self._owing_at = now
        key = (id(row.recurrence), cut.pending, cut.horizon, row.catch_up, row.within)
        due = self._owing.get(key)
        if due is None:
            due = self._owing[key] = _due(row, cut, now)
        return due._replace(row=behind.row)

    def take_broken(self) -> list[tuple[int, str]]:
        """The events that ``due`` left out since the last call, because their recurrence failed."""
        broken, self._broken = self._broken, []
        return broken

    def advance(self, due: Due, decided: int) -> None:
        """Go on behind the event's last ``decided`` occurrence. Raises as ``begin`` does.

        Where that is not all of what was due, the rest is counted anew.
        """
        if decided < due.last:
            self._trimmed.pop(due.row, None)
        self.begin(due.row, decided)

    def put_back(self, due: Sequence[Due]) -> None:
        """What was taken is still to be decided."""
        for item in due:
            # It may be asked for again within the same second, so with the same horizon.
            self._trimmed.pop(item.row, None)
            self._due_queue.put(item.row, item.pending)

    def hold(self, due: Due, until: float) -> None:
        """What was taken cannot be decided now; it is due again at ``until``."""
        self._held[due.row] = due.pending
        self._due_queue.put(due.row, max(int(until), due.pending + 1))

    def next_due(self) -> int | None:
        """When something is due next, or None."""
        return self._missed.oldest() if self._missed else self._due_queue.soonest()

    @property
    def is_behind(self) -> bool:
        """Whether events are still to be caught up."""
        return bool(self._missed)

    def _cut(self, behind: Behind) -> Behind:
        """The same with the newest horizon, or none where it was cut to its cap by that already."""
        index, pending, horizon = behind
        horizon = max(horizon, self._horizon)
        if self._rows[index].catch_up > 1 and pending <= horizon:
            if self._trimmed.get(index) == horizon:
                # Each of the rest fires.
                return Behind(index, pending, pending - 1)
            self._trimmed[index] = horizon
        return Behind(index, pending, horizon)

    def _following(self, recurrence: Recurrence, after: int) -> int | None:
        if after != self._coming_after:
            self._coming.clear()
            self._coming_after = after
        # By identity: the rows keep their recurrences, and to hash one takes longer than to ask it.
        elif id(recurrence) in self._coming:
            return self._coming[id(recurrence)]
        following = _following(recurrence, after)
        self._coming[id(recurrence)] = following
        return following


def _following(recurrence: Recurrence, after: int) -> int | None:
    try:
        following = recurrence.next(after)
    except Exception as error:  # a stream of times is the user's code
        raise RecurrenceError(describe_error(error)) from error
    if following is not None and following <= after:
        raise RecurrenceError(f"its next time, {following}, is not later than its last, {after}")
    return following


def _due(row: TimetableRow, behind: Behind, now: float) -> Due:
    result = owed(
        row.recurrence,
        behind.pending,
        horizon=behind.horizon,
        now=now,
        most=row.catch_up,
        within=row.within,
    )
    if result.fire is None and not result.passed:
        raise RecurrenceError("its times changed while they were asked for")
    return Due(behind.row, behind.pending, result.fire, result.passed)
