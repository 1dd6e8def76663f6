"""Since when an event fails, by its runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clock.runs.run import FAILURES, Run, RunOutcome

_FAILING = FAILURES | {RunOutcome.RETRIED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """The latest runs of an event that failed one after another.

    ``latest`` is that one, ``first`` the first that failed, ``jobs`` the number of jobs that
    failed. ``last_success`` is None where no kept run succeeded; then it may fail for longer.
    """

    latest: Run
    first: Run
    jobs: int
    last_success: Run | None

    @property
    def since(self) -> int:
        """The scheduled time of the first that failed, in UTC seconds since 1970."""
        return self.first.scheduled


def failing(runs: Sequence[Run]) -> Failing | None:
    """How an event fails, by its ``runs``, the one that ended last first; None where the last one
    did not fail.
    """
    if not runs or runs[0].outcome not in FAILURES:
        return None
    failed = []
    for run in runs:
        if run.outcome not in _FAILING:
            break
        if run.outcome in FAILURES:
            failed.append(run)
    return Failing(
        latest=failed[0],
        first=failed[-1],
        jobs=len({run.job for run in failed}),
        last_success=last_success(runs),
    )


def last_success(runs: Sequence[Run]) -> Run | None:
    """The last of ``runs``, the one that ended last first, that succeeded; None where none did."""
    return next((run for run in runs if run.outcome is RunOutcome.SUCCEEDED), None)
