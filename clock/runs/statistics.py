"""Statistics of the runs in a window of time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clock.runs.run import Run, RunOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The median, the 95th percentile (nearest rank) and the maximum of durations in seconds; None
    where there are none.
    """

    p50: float | None
    p95: float | None
    maximum: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """The outcomes of the runs of a window, and how long they took.

    ``runs`` counts all of them, ``failures`` those that are not retried. ``duration`` leaves out
    abandoned ones, whose end is unknown; ``lateness`` has first attempts only.
    """

    runs: int
    succeeded: int
    failures: int
    skipped: int
    retried: int
    abandoned: int
    stopped: int
    duration: Spread
    wait: Spread
    lateness: Spread


def statistics(runs: Iterable[Run], since: float, until: float) -> Statistics:
    """The statistics of the ``runs`` that ended from ``since`` on and before ``until`` (UTC seconds
    since 1970).
    """
    ended = [run for run in runs if since <= run.ended < until]
    counts = Counter(run.outcome for run in ended)
    late = [run.lateness for run in ended]
    return Statistics(
        runs=len(ended),
        succeeded=counts[RunOutcome.SUCCEEDED],
        failures=counts[RunOutcome.FAILED],
        skipped=counts[RunOutcome.SKIPPED],
        retried=counts[RunOutcome.RETRIED],
        abandoned=counts[RunOutcome.ABANDONED],
        stopped=counts[RunOutcome.STOPPED],
        duration=_spread([run.duration for run in ended if run.outcome != RunOutcome.ABANDONED]),
        wait=_spread([run.wait for run in ended]),
        lateness=_spread([seconds for seconds in late if seconds is not None]),
    )


def _spread(lengths: Sequence[float]) -> Spread:
    if not lengths:
        return Spread(p50=None, p95=None, maximum=None)
    ordered = sorted(lengths)

    def rank(share: float) -> float:
        return ordered[math.ceil(share * len(ordered)) - 1]

    return Spread(p50=rank(0.5), p95=rank(0.95), maximum=ordered[-1])
