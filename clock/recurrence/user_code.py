"""Recurrences that run user code: a stream of times, a function of a date."""

from __future__ import annotations

from clock.recurrence.bounds import Bounded
from clock.recurrence.dates import DateFunction
from clock.recurrence.difference import DaysOff, Difference
from clock.recurrence.local_times import Between, OnDays
from clock.recurrence.recurrence import Recurrence
from clock.recurrence.spread import Later
from clock.recurrence.stream import Stream
from clock.recurrence.union import Union


def runs_user_code(recurrence: Recurrence) -> bool:
    """Whether asking ``recurrence`` for a time runs user code, which may take any time."""
    match recurrence:
        case Stream():
            return True
        case Bounded() | Later() | Between() | OnDays():
            return runs_user_code(recurrence.inner)
        case Union():
            return any(map(runs_user_code, recurrence.parts))
        case Difference():
            return runs_user_code(recurrence.kept) or runs_user_code(recurrence.taken)
        case DaysOff():
            return isinstance(recurrence.dates, DateFunction) or runs_user_code(recurrence.kept)
        case _:
            return False
