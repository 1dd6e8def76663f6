"""The catch-up rule: what is made up of the occurrences that passed while no clock could claim."""

from __future__ import annotations

import math
from itertools import islice

from clock.decision import Kind
from clock.errors import RecurrenceError
from clock.loop.due import Behind, Due, Passed, TimetableRow
from clock.recurrence.count import count
from clock.recurrence.recurrence import Recurrence, between, newest

COUNTED = 100_000
"""Missed occurrences are counted up to here where that takes a walk, some microseconds for each."""


def catch_up(row: TimetableRow, behind: Behind, now: float) -> Due:
    """What is due of an event whose oldest undecided occurrence is not later than ``now``, UTC
    seconds since 1970. Raises what its recurrence does.
    """
    recurrence, (_, pending, horizon) = row.recurrence, behind
    passed: list[Passed] = []
    fire: int | None = pending
    if pending <= horizon:
        fire = _oldest_to_fire(recurrence, pending, horizon, row.catch_up)
        until = horizon + 1 if fire is None else fire
        kind = Kind.OVER_CAP if row.catch_up > 1 else Kind.MISSED
        passed += _passed(kind, recurrence, pending, until)
        fire = recurrence.next(horizon) if fire is None else fire
    if row.within is not None and fire is not None and fire < now - row.within:
        in_time = math.ceil(now - row.within)
        passed += _passed(Kind.TOO_LATE, recurrence, fire, in_time)
        fire = recurrence.next(in_time - 1)
    if fire is not None and fire > now:
        fire = None
    if fire is None and not passed:
        raise RecurrenceError("its times changed while they were computed")
    return Due(behind.row, pending, fire, tuple(passed))


def count_between(recurrence: Recurrence, first: int, last: int, limit: int = COUNTED) -> int:
    """How many occurrences lie from ``first`` to ``last``, both included; at most ``limit`` where
    that takes a walk.
    """
    counted = count(recurrence, first - 1, last)
    if counted is not None:
        return counted
    return sum(1 for _ in islice(between(recurrence, first - 1, last), limit))


def oldest_kept(recurrence: Recurrence, pending: int, horizon: int, most: int) -> int:
    """The occurrence to begin with so that ``most``, at most, lie up to ``horizon``.

    ``pending`` is the oldest of them, not later than ``horizon``; ``most`` is at least 1.
    """
    # By halving: the later one begins, the fewer there are. From `low` on there are too many, from
    # `high` on there are not.
    low, high = pending, horizon + 1
    if count_between(recurrence, low, horizon, most + 1) <= most:
        return pending
    while high - low > 1:
        middle = (low + high) // 2
        if count_between(recurrence, middle, horizon, most + 1) <= most:
            high = middle
        else:
            low = middle
    first = recurrence.next(high - 1)
    return pending if first is None else first


def _oldest_to_fire(recurrence: Recurrence, pending: int, horizon: int, most: int) -> int | None:
    if most == 0:
        return None
    if most == 1:
        return newest(recurrence, pending - 1, horizon)
    return oldest_kept(recurrence, pending, horizon, most)


def _passed(kind: Kind, recurrence: Recurrence, first: int, until: int) -> list[Passed]:
    """The occurrences from ``first`` on that lie before ``until``, if any, in one."""
    last = newest(recurrence, first - 1, until - 1) if first < until else None
    if last is None:
        return []
    return [Passed(kind, first, last, count_between(recurrence, first, last))]
