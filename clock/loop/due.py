"""What the timetable knows of an event, and what is due of it. Instants are UTC seconds since 1970.

An event is known by its row, its number among the events that are enabled.
"""

from __future__ import annotations

from typing import NamedTuple

from clock.decision import Kind
from clock.recurrence.jitter import Jittered
from clock.recurrence.recurrence import Recurrence


class TimetableRow(NamedTuple):
    """When an event is due, and what is made up of missed times: the newest ``catch_up``, and none
    more than ``within`` seconds late.

    A recurrence that ``runs_user_code`` is never called by the timetable, which returns the call.
    """

    recurrence: Recurrence | Jittered
    catch_up: int = 1
    within: int | None = None
    runs_user_code: bool = False


class Behind(NamedTuple):
    """The event of row ``row`` is to be caught up from ``pending``, its oldest undecided
    occurrence, to ``horizon``, until when nobody could claim."""

    row: int
    pending: int
    horizon: int


class Passed(NamedTuple):
    """Occurrences from ``first`` to ``last`` that do not fire, and why: MISSED, TOO_LATE or
    OVER_CAP.
    """

    kind: Kind
    first: int
    last: int
    occurrences: int


class Due(NamedTuple):
    """The event of row ``row`` is due: it passes over some occurrences, and fires at ``fire``, if
    at all. ``pending`` is its oldest undecided occurrence.
    """

    row: int
    pending: int
    fire: int | None
    passed: tuple[Passed, ...] = ()

    def scheduled(self, jittered: Jittered) -> Due:
        """The same by the times of occurrences, where it is by when they are due."""
        at = jittered.scheduled
        return Due(
            self.row,
            at(self.pending),
            None if self.fire is None else at(self.fire),
            tuple(
                passed._replace(first=at(passed.first), last=at(passed.last))
                for passed in self.passed
            ),
        )

    @property
    def last(self) -> int:
        """The newest occurrence this decides."""
        return self.passed[-1].last if self.fire is None else self.fire
