"""The order of tests: each process begins with its share of those that take long.

Else one of them may be the last to begin, and every other process waits for its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def long_first(long: Sequence[Item], others: Sequence[Item], shares: int) -> list[Item]:
    """All of them, in an order of which each of ``shares`` equal parts begins with an equal part
    of ``long``: xdist first gives each of its processes such a part.
    """
    count = len(long) + len(others)
    if len(long[::shares]) > count // shares:
        return [*long, *others]
    rest = iter(others)
    ordered: list[Item] = []
    for number in range(shares):
        size = (count - len(ordered)) // (shares - number)
        own = long[number::shares]
        ordered += [*own, *islice(rest, size - len(own))]
    return ordered
