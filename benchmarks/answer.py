"""What a question comes to: a goal, what was measured, and a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.plot import Plot


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """``what`` has a goal and a least that is accepted, both in ``unit``; more is better where
    ``goal`` is the greater of the two, else less is. None was not measured: a peer is not there.
    """

    what: str
    measured: float | None
    goal: float
    least: float
    unit: str = "x"

    @property
    def verdict(self) -> str:
        """``met``, ``accepted``, ``missed`` or ``not measured``."""
        if self.measured is None:
            return "not measured"
        if self._is_within(self.goal):
            return "met"
        return "accepted" if self._is_within(self.least) else "missed"

    def shown(self) -> tuple[str, str, str, str, str]:
        """What, goal, least, measured and verdict, as texts."""
        sign = "≥" if self._more_is_better else "≤"
        measured = "-" if self.measured is None else f"{number(self.measured)} {self.unit}"
        bounds = (f"{sign} {number(bound)} {self.unit}" for bound in (self.goal, self.least))
        goal, least = bounds
        return self.what, goal, least, measured, self.verdict

    @property
    def _more_is_better(self) -> bool:
        return self.goal > self.least

    def _is_within(self, bound: float) -> bool:
        measured = self.measured
        assert measured is not None
        return measured >= bound if self._more_is_better else measured <= bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``facts`` are lines for people: the medians behind the ratios, and their spread."""

    goals: Sequence[Goal]
    facts: Sequence[str]
    plots: Sequence[Plot] = ()


def number(value: float) -> str:
    """A figure with three digits that mean something, thousands apart."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2g}" if abs(value) < 0.1 else f"{value:.3g}"
