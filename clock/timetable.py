"""The timetable: which event is due next, and what it owes.

It knows instants and numbers of events, no names, no server and no present moment. Instants are UTC
seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from clock.agenda import Agenda
from clock.catch_up import Passed, owed
from clock.errors import RecurrenceError
from clock.recurrence.recurrence import Recurrence


class Row(NamedTuple):
    """What the timetable knows of an event: when, and what is made up of missed times."""

    recurrence: Recurrence
    catch_up: int = 1
    within: int | None = None


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


class Timetable:
    """The coming occurrence of every event, soonest first; at one instant, in the order of events.

    Up to an instant called the horizon nobody could claim, and the catch-up rule says what is due
    of what passed until then. Later occurrences are due one by one.

    Its cost is in what is due: events wait by instant, and of each recurrence that several events
    share the next time is computed once.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._agenda = Agenda()
        self._coming: dict[int, int | None] = {}
        self._coming_after = 0
        self._held: dict[int, int] = {}
        self._trimmed: dict[int, int] = {}
        self._broken: list[tuple[int, str]] = []
        self._horizon = 0

    def begin(self, index: int, decided: int, horizon: float = 0) -> None:
        """Enter an event whose last decided occurrence is ``decided``. Where ``horizon`` is later
        than that of the timetable, nobody could claim this one until then.

        Raises RecurrenceError where its recurrence fails or does not go forward; it is then out.
        """
        following = self._following(index, decided)
        if following is None:
            return
        if following < int(horizon) > self._horizon:
            self._held[index], following = following, int(horizon)
        self._agenda.put(index, following)

    def coming(self, index: int, after: float) -> int | None:
        """The event's next time after ``after``, or None. Raises as ``begin`` does."""
        return self._following(index, int(after))

    def catch_up(self, horizon: float) -> None:
        """Nobody could claim until ``horizon``; for what passed, the catch-up rule holds."""
        self._horizon = max(self._horizon, int(horizon))

    def due(self, now: float, limit: int) -> list[Due]:
        """Take out what is due at ``now``, soonest first, of at most ``limit`` events.

        Each must come back: through ``advance`` when it is decided, ``put_back`` when nothing is
        known, ``hold`` when it was refused.
        """
        taken: list[Due] = []
        while (
            len(taken) < limit
            and (soonest := self._agenda.soonest()) is not None
            and soonest <= now
        ):
            at, index = self._agenda.take()
            pending = self._held.pop(index, at) if self._held else at
            # A held event waited on purpose, so what passed meanwhile was missed like the rest.
            horizon = max(self._horizon, at) if pending != at else self._horizon
            try:
                taken.append(self._due(index, pending, horizon, now))
            except Exception as error:  # a stream of times is the user's code
                self._broken.append((index, f"{type(error).__name__}: {error}"))
        return taken

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
        for each in due:
            # It may be asked for again within the same second, so with the same horizon.
            self._trimmed.pop(each.row, None)
            self._agenda.put(each.row, each.pending)

    def hold(self, due: Due, until: float) -> None:
        """What was taken cannot be decided now; it is due again at ``until``."""
        self._held[due.row] = due.pending
        self._agenda.put(due.row, max(int(until), due.pending + 1))

    def next_due(self) -> int | None:
        """When something is due next, or None."""
        return self._agenda.soonest()

    def _due(self, index: int, pending: int, horizon: int, now: float) -> Due:
        row = self._rows[index]
        # A time that went back leaves a horizon in the future, and nothing there was missed.
        horizon = min(horizon, int(now))
        if pending > horizon and row.within is None:
            return Due(index, pending, pending)
        if row.catch_up > 1 and pending <= horizon:
            if self._trimmed.get(index) == horizon:
                # Cut to its cap before; each of the rest fires.
                horizon = pending - 1
            else:
                self._trimmed[index] = horizon
        found = owed(
            row.recurrence,
            pending,
            horizon=horizon,
            now=now,
            most=row.catch_up,
            within=row.within,
        )
        return Due(index, pending, found.fire, found.passed)

    def _following(self, index: int, after: int) -> int | None:
        recurrence = self._rows[index].recurrence
        if after != self._coming_after:
            self._coming.clear()
            self._coming_after = after
        # By identity: the rows keep their recurrences, and to hash one takes longer than to ask it.
        elif id(recurrence) in self._coming:
            return self._coming[id(recurrence)]
        try:
            following = recurrence.next(after)
        except Exception as error:  # a stream of times is the user's code
            raise RecurrenceError(f"{type(error).__name__}: {error}") from error
        if following is not None and following <= after:
            raise RecurrenceError(
                f"its next time, {following}, is not later than its last, {after}"
            )
        self._coming[id(recurrence)] = following
        return following
