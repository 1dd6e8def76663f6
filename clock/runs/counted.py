"""A run as it is counted over time, by its queue and its event."""

from __future__ import annotations

from typing import NamedTuple

from redis import Redis
from redis.client import Pipeline

from clock.ledger.trends import TrendCounts
from clock.runs.run import FAILURES, RunOutcome

DONE = frozenset({RunOutcome.SUCCEEDED, RunOutcome.SKIPPED})
"""Outcomes of a run that count as done. One that is retried or was stopped counts for nothing."""


class CountedRun(NamedTuple):
    """A run of a job of ``queue``, and of ``event`` if it is of one, that ``ended`` at this instant
    (UTC seconds since 1970) after its job had ``waited`` for so many seconds.
    """

    queue: str
    event: str | None
    outcome: RunOutcome
    ended: float
    waited: float

    def add_to(self, counts: TrendCounts) -> None:
        """Count it."""
        is_done, is_failed = self.outcome in DONE, self.outcome in FAILURES
        if is_done or is_failed:
            counts.add(
                self.queue,
                self.event,
                self.ended,
                done=int(is_done),
                failed=int(is_failed),
                waited=self.waited,
            )


def count_run(connection: Redis | Pipeline, app: str, run: CountedRun) -> None:
    """Count ``run`` for the application ``app``: at most one command, on a connection or as part of
    a pipeline.
    """
    counts = TrendCounts(app)
    run.add_to(counts)
    counts.write(connection)
