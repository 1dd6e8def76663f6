"""The counters of clocks, which are added to the ledger with their heartbeat.

The claim itself counts decisions, in each event's record. Lateness, how often another clock was
faster, and how many jobs it enqueued over time, is counted in the process and written every few
seconds: a clock that is killed loses the last few seconds, and one whose heartbeat's reply was lost
counts them twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from redis import Redis
from redis.client import Pipeline

from clock import keys
from clock.connection.errors import server_errors
from clock.connection.scripts import script
from clock.errors import ServerError
from clock.ledger.histogram import Histogram, bucket, read_histogram
from clock.ledger.ledger import ClaimResult
from clock.ledger.trends import TrendCounts
from clock.ledger.unreadable import READ_ERRORS, reply_about, skip
from clock.ledger.values import text, whole

LATENESSES = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0
)  # fmt: skip
"""Bounds of the histogram of how late occurrences fired, in seconds."""

_REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The counters of an application's clocks. ``refused`` counts claims that another clock had
    decided; ``latenesses`` are those of occurrences that fired, in seconds.
    """

    refused: int
    latenesses: Histogram


class Counters:
    """The counters of this process, until they are written."""

    def __init__(self, connection: Redis, app: str) -> None:
        self._connection = connection
        self._key = keys.counters(app)
        self._counts: Counter[str] = Counter()
        self._late = 0.0
        self._results: list[tuple[Sequence[ClaimResult], float]] = []
        self._enqueued = TrendCounts(app)

    def add(self, outcomes: Sequence[ClaimResult], claimed_at: float) -> None:
        """Count what became of claims made at ``claimed_at`` (UTC seconds since 1970)."""
        fired = Counter(
            outcome.claim.scheduled if outcome.kind else None
            for outcome in outcomes
            if outcome.kind is None or outcome.kind.is_enqueued
        )
        # Many events may be due: what is not late is counted once nothing is.
        self._results.append((outcomes, claimed_at))
        for scheduled, count in fired.items():
            if scheduled is None:
                self._counts[_REFUSED] += count
            else:
                late = max(0.0, claimed_at - scheduled)
                self._counts[bucket("lateness", LATENESSES, late)] += count
                self._late += late * count

    def write(self, may_go_on: Callable[[], bool] = lambda: True) -> bool:
        """Add the counts to the ledger in few commands, as long as it may go on; whether that was
        all. A ServerError keeps them for the next time.
        """
        self._count_enqueued()
        self._write_with_totals()
        while self._enqueued and may_go_on():
            part = self._enqueued.take()
            try:
                with server_errors():
                    part.write(self._connection)
            except ServerError:
                self._enqueued.add_all(part)
                raise
        return not self._enqueued

    def _count_enqueued(self) -> None:
        for outcomes, claimed_at in self._results:
            for outcome in outcomes:
                if outcome.kind is not None and outcome.kind.is_enqueued:
                    event = outcome.claim.event
                    self._enqueued.add(event.job.queue, event.name, claimed_at, enqueued=1)
        self._results.clear()

    def _write_with_totals(self) -> None:
        """Write the totals and the first part of the others, in one round trip."""
        part = self._enqueued.take()
        if not self._counts and not part:
            return
        errors: list[Exception | None] = []
        try:
            with server_errors(), self._connection.pipeline(transaction=False) as pipeline:
                self._write_totals(pipeline)
                part.write(pipeline)
                replies = pipeline.execute(raise_on_error=False)
                errors = [reply if isinstance(reply, Exception) else None for reply in replies]
                for error in filter(None, errors):
                    raise error
        finally:
            is_known = bool(errors)
            if self._counts and is_known and errors[0] is None:
                self._counts.clear()
                self._late = 0.0
            if part and not (is_known and errors[-1] is None):
                self._enqueued.add_all(part)

    def _write_totals(self, pipeline: Pipeline) -> None:
        if not self._counts:
            return
        flat = [str(part) for field in self._counts.items() for part in field]
        arguments = [str(keys.TTL), "-", *flat, "lateness:sum", f"{self._late:.6f}"]
        pipeline.eval(script("clock.ledger", "count.lua"), 1, self._key, *arguments)


def read_counters(connection: Redis, app: str) -> Counted:
    """The counters that are written. Raises ServerError."""
    counts = reply_about(keys.counters(app), connection.hgetall)
    try:
        return _parse({text(field): text(value) for field, value in (counts or {}).items()})
    except READ_ERRORS as error:
        skip(keys.counters(app), error)
        return _parse({})


def _parse(counts: Mapping[str, str]) -> Counted:
    return Counted(
        refused=whole(counts.get(_REFUSED, 0), 0),
        latenesses=read_histogram("lateness", LATENESSES, counts),
    )
