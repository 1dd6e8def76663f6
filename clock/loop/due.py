"""What the timetable knows of an event, and what is due of it. Instants are UTC seconds since 1970.

An event is known by its row, its number among the events that are enabled.
"""

from __future__ import annotations

from typing import NamedTuple

from clock.errors import RecurrenceError
from clock.loop.catch_up import Passed, owed
from clock.recurrence.recurrence import Recurrence


class TimetableRow(NamedTuple):
    """When an event is due, and what is made up of missed times.

    A recurrence that ``runs_user_code`` is never called by the timetable, which returns the call.
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


class Behind(NamedTuple):
    """The event of row ``row`` is to be caught up from ``pending``, its oldest undecided
    occurrence, to ``horizon``, until when nobody could claim."""

    row: int
    pending: int
    horizon: int

    def due(self, row: TimetableRow, now: float) -> Due:
        """What is due of it at ``now``. Raises what its recurrence does."""
        result = owed(
            row.recurrence,
            self.pending,
            horizon=self.horizon,
            now=now,
            most=row.catch_up,
            within=row.within,
        )
        if result.fire is None and not result.passed:
            raise RecurrenceError("its times changed while they were computed")
        return Due(self.row, self.pending, result.fire, result.passed)
