"""Histograms as fields of a hash: the count of each bucket, and the sum of the values.

A value increments one field, and the reader adds them up. They only grow, and do not depend on how
long the values themselves are kept.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clock.ledger.values import number as number_of
from clock.ledger.values import whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Cumulative counts of the values up to each of ``bounds``, and of all; ``total`` is their sum.

    Bounds and values are seconds.
    """

    bounds: Sequence[float]
    cumulative: tuple[int, ...]
    total: float


def bucket(name: str, bounds: Sequence[float], value: float) -> str:
    """The field of the bucket that ``value`` falls into."""
    return f"{name}:{bisect_left(bounds, value)}"


def read_histogram(name: str, bounds: Sequence[float], fields: Mapping[str, str]) -> Histogram:
    """The histogram called ``name`` in the fields of a hash.

    Raises ValueError where one of them cannot be read.
    """
    counts = [whole(fields.get(f"{name}:{number}", 0), 0) for number in range(len(bounds) + 1)]
    cumulative = tuple(sum(counts[: number + 1]) for number in range(len(counts)))
    total = max(0.0, number_of(fields.get(f"{name}:sum", 0.0)))
    return Histogram(bounds=bounds, cumulative=cumulative, total=total)
