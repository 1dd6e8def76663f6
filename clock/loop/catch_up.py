"""The catch-up rule: what is made up of the occurrences that passed while no clock could claim."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from clock.decision import Kind
from clock.recurrence.count import count
from clock.recurrence.recurrence import Recurrence, between, newest

COUNTED = 100_000
"""Missed occurrences are counted up to here where that takes a walk, some microseconds for each."""


@dataclass(frozen=True, slots=True)
class MissedRange:
    """``count`` occurrences, the first at ``first``, the last at ``last`` (UTC seconds since
    1970).
    """

    first: int
    last: int
    count: int


class Passed(NamedTuple):
    """A run of occurrences that do not fire, and why: MISSED, TOO_LATE or OVER_CAP."""

    kind: Kind
    run: MissedRange


class Owed(NamedTuple):
    """What an event owes at a tick: the runs it passes over, and the occurrence to fire, if any."""

    passed: tuple[Passed, ...]
    fire: int | None


def count_between(recurrence: Recurrence, first: int, last: int) -> int:
    """How many occurrences lie from ``first`` to ``last``, both included; at most ``COUNTED`` where
    that takes a walk.
    """
    counted = count(recurrence, first - 1, last)
    if counted is not None:
        return counted
    return sum(1 for _ in islice(between(recurrence, first - 1, last), COUNTED))


def owed(
    recurrence: Recurrence, pending: int, *, horizon: int, now: float, most: int, within: int | None
) -> Owed:
    """What an event owes whose oldest undecided occurrence is ``pending``, not later than ``now``.

    Of what passed up to ``horizon`` the newest ``most`` are kept; nothing fires more than
    ``within`` seconds late. Instants are UTC seconds since 1970.
    """
    passed: list[Passed] = []
    fire: int | None = pending
    if pending <= horizon:
        fire = _kept(recurrence, pending, horizon, most)
        until = horizon + 1 if fire is None else fire
        _note(passed, Kind.OVER_CAP if most > 1 else Kind.MISSED, recurrence, pending, until)
        fire = recurrence.next(horizon) if fire is None else fire
    if within is not None and fire is not None and fire < now - within:
        in_time = math.ceil(now - within)
        _note(passed, Kind.TOO_LATE, recurrence, fire, in_time)
        fire = recurrence.next(in_time - 1)
    return Owed(tuple(passed), fire if fire is not None and fire <= now else None)


def oldest_kept(recurrence: Recurrence, pending: int, horizon: int, most: int) -> int:
    """The occurrence to begin with so that ``most``, at most, lie up to ``horizon``.

    ``pending`` is the oldest of them, not later than ``horizon``; ``most`` is at least 1.
    """
    # By halving: the later one begins, the fewer there are. Behind `low` there are too many, behind
    # `high` there are not.
    low, high = pending - 1, horizon
    if _at_most(recurrence, low, horizon, most):
        return pending
    while high - low > 1:
        middle = (low + high) // 2
        if _at_most(recurrence, middle, horizon, most):
            high = middle
        else:
            low = middle
    first = recurrence.next(high)
    return pending if first is None else first


def _kept(recurrence: Recurrence, pending: int, horizon: int, most: int) -> int | None:
    if most == 0:
        return None
    if most == 1:
        return newest(recurrence, pending - 1, horizon)
    return oldest_kept(recurrence, pending, horizon, most)


def _at_most(recurrence: Recurrence, after: int, until: int, most: int) -> bool:
    counted = count(recurrence, after, until)
    if counted is not None:
        return counted <= most
    return sum(1 for _ in islice(between(recurrence, after, until), most + 1)) <= most


def _note(
    passed: list[Passed], kind: Kind, recurrence: Recurrence, pending: int, until: int
) -> None:
    if pending < until:
        last = newest(recurrence, pending - 1, until - 1)
        if last is not None:
            count = count_between(recurrence, pending, last)
            passed.append(Passed(kind, MissedRange(pending, last, count)))
