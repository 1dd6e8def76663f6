"""The last runs of every event, read in one round trip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from redis import Redis

from clock import keys
from clock.connection.errors import server_errors
from clock.ledger.unreadable import READ_ERRORS, execute, skip
from clock.ledger.values import second
from clock.runs.records import parse_runs
from clock.runs.run import FAILURES, Run, RunOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentRuns:
    """The run of an event that ended last, and how the last run of each of its latest occurrences
    ended, by their scheduled time (UTC seconds since 1970).
    """

    newest: Run
    outcomes: Mapping[int, RunOutcome]

    @classmethod
    def of(cls, runs: Sequence[Run]) -> RecentRuns:
        """From the runs of one event, the newest first; there must be one."""
        outcomes: dict[int, RunOutcome] = {}
        for run in runs:
            outcomes.setdefault(run.scheduled, run.outcome)
        return cls(newest=runs[0], outcomes=outcomes)

    @property
    def is_failing(self) -> bool:
        """Whether the last run failed."""
        return self.newest.outcome in FAILURES

    @property
    def failing_since(self) -> int:
        """The earliest of the latest occurrences, one after another, whose last run failed; that of
        the last run where there is none.
        """
        failed = takewhile(lambda item: item[1] in FAILURES, self.outcomes.items())
        return min((scheduled for scheduled, _ in failed), default=self.newest.scheduled)


def read_recent_runs(
    connection: Redis, app: str, events: Iterable[str], count: int = 24
) -> dict[str, RecentRuns]:
    """The last ``count`` runs of each of ``events`` that has any, in one round trip.

    Raises ServerError.
    """
    names = list(events)
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.lrange(keys.runs(app, name), 0, count - 1)
        replies = execute(pipeline)
    return parse_recent_runs(app, names, replies)


def parse_recent_runs(
    app: str, events: Iterable[str], lists: Iterable[Sequence[bytes] | None]
) -> dict[str, RecentRuns]:
    """The recent runs of each of ``events`` that has any, from the ``lists`` of their lines."""
    read = {}
    for name, lines in zip(events, lists, strict=True):
        if lines and (runs := parse_runs(app, name, lines[:1])):
            newest = runs[0]
            outcomes = {newest.scheduled: newest.outcome}
            if len(lines) > 1:
                outcomes = _outcomes(app, name, lines)
            read[name] = RecentRuns(newest=newest, outcomes=outcomes)
    return read


def read_last_runs(
    connection: Redis, app: str, events: Iterable[str], count: int = 100
) -> dict[str, Run]:
    """The last run of each job among the last ``count`` runs of each of ``events``, by the job's
    id, in one round trip. Raises ServerError.
    """
    names = list(events)
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.lrange(keys.runs(app, name), 0, count - 1)
        replies = execute(pipeline)
    runs: dict[str, Run] = {}
    for name, lines in zip(names, replies, strict=True):
        for run in parse_runs(app, name, lines):
            runs.setdefault(run.job, run)
    return runs


def _outcomes(app: str, event: str, lines: Sequence[bytes]) -> dict[int, RunOutcome]:
    # Only the beginning of a line is parsed: there may be ten thousand lines.
    outcomes: dict[int, RunOutcome] = {}
    for line in lines:
        try:
            scheduled = second(line[1 : line.index(b",")])
            if scheduled not in outcomes:
                outcomes[scheduled] = RunOutcome(line.split(b'"', 2)[1].decode())
        except READ_ERRORS as error:
            skip(keys.runs(app, event), error, line)
    return outcomes
