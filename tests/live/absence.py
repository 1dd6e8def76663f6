"""Absences of clocks, and the occurrences that may be missing because of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product

MARGIN = 0.3
"""Seconds at either edge of an absence in which a clock may be counted as there or not there: it
was about to claim when it was killed, or between its first log line and its first claim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Nobody could claim from ``start`` to ``end``, UTC seconds since 1970; but where it is
    ``interrupted``, a clock came in between, and whether it claimed is not known.
    """

    start: float
    end: float
    interrupted: bool = False

    def explains(self, missing: Sequence[int], following: int, period: int) -> bool:
        """Whether the catch-up rule leaves out ``missing`` and fires ``following`` after it: all of
        them passed in this absence, and ``following`` is the newest that did.
        """
        is_inside = self.start - MARGIN <= missing[0] and following <= self.end + MARGIN
        return is_inside and self.is_newest(following, period)

    def forbids(self, instant: int, period: int) -> bool:
        """Whether the catch-up rule leaves out the occurrence at ``instant``: it passed in this
        absence, and so did a later one.
        """
        is_inside = self.start + MARGIN < instant < self.end - MARGIN
        return is_inside and not self.interrupted and not self.is_newest(instant, period)

    def is_newest(self, instant: int, period: int) -> bool:
        """Whether no later occurrence than that at ``instant`` passed in this absence."""
        return instant + period > self.end - MARGIN


def assert_fired_by_the_rules(
    scheduled: Sequence[int],
    period: int,
    absences: Sequence[Absence],
    *,
    since: float,
    until: float,
) -> None:
    """Of an event that occurs every ``period`` seconds: each occurrence from ``since`` to ``until``
    once and in order, but of those that passed in an absence the newest alone.

    ``period`` divides a day, so its grid is that of the UTC day.
    """
    assert all(at % period == 0 for at in scheduled), "an instant that is not an occurrence"
    assert all(a < b for a, b in pairwise(scheduled)), f"doubled or out of order: {scheduled}"
    assert scheduled[0] <= since + period + MARGIN, "the first occurrences are missing"
    assert scheduled[-1] > until - period - MARGIN, "the last occurrences are missing"
    for before, following in pairwise(scheduled):
        missing = range(before + period, following, period)
        assert not missing or any(
            absence.explains(missing, following, period) for absence in absences
        ), f"nothing explains that {list(missing)} did not fire and {following} did: {absences}"
    for instant, absence in product(scheduled, absences):
        assert not absence.forbids(instant, period), f"{instant} fired, though missed in {absence}"
