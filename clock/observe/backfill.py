"""The occurrences of a span that could be backfilled, and what became of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from clock.decision import Decision, Kind
from clock.errors import BackfillError
from clock.ledger.backfill import Backfill, Standing
from clock.observe.status import EventStatus
from clock.recurrence.published import Published
from clock.recurrence.recurrence import Recurrence, between


@dataclass(frozen=True, slots=True)
class Candidate:
    """An occurrence of the span, ``scheduled`` in UTC seconds since 1970.

    ``was`` is its decision in the event's history; None where it is too old for the history, or was
    never decided because the event was not known then.
    """

    scheduled: int
    was: Kind | None


def candidates(
    recurrence: Recurrence, first: int, last: int, history: Sequence[Decision]
) -> Iterator[Candidate]:
    """The occurrences from ``first`` to ``last``, both included, oldest first."""
    for scheduled in between(recurrence, first - 1, last):
        yield Candidate(scheduled, _became(scheduled, history))


def _became(scheduled: int, history: Sequence[Decision]) -> Kind | None:
    for decision in history:
        # A manual run is not an occurrence, even where it fell on the same second.
        if decision.kind is not Kind.MANUAL and decision.first <= scheduled <= decision.last:
            return decision.kind
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillPlan:
    """What a backfill from ``first`` to ``last`` (UTC seconds since 1970, both included) would do:
    the occurrences of the span, the oldest first, and where each stands.
    """

    first: int
    last: int
    candidates: tuple[Candidate, ...]
    standings: tuple[Standing, ...]

    @property
    def to_enqueue(self) -> tuple[Candidate, ...]:
        """Those that have no job."""
        pairs = zip(self.candidates, self.standings, strict=True)
        return tuple(candidate for candidate, standing in pairs if standing is Standing.OPEN)

    @property
    def digest(self) -> str:
        """Sixteen digits that change when the occurrences of the span do, by a changed event."""
        instants = repr([candidate.scheduled for candidate in self.candidates])
        return hashlib.blake2b(instants.encode(), digest_size=8).hexdigest()

    @property
    def counted(self) -> Mapping[Standing, int]:
        """How many stand where."""
        return Counter(self.standings)


def plan_backfill(
    backfill: Backfill, event: EventStatus, first: int, last: int, now: float, most: int
) -> BackfillPlan:
    """What ``backfill`` of ``event``, which must have its whole history, would do at ``now``.

    Raises BackfillError for a span that ends before it begins, or in the future, that has more than
    ``most`` occurrences, or whose occurrences are not known; and what ``Backfill`` raises.
    """
    chosen = _chosen(event, first, last, now, most)
    standings = backfill.look_all([candidate.scheduled for candidate in chosen], now)
    return BackfillPlan(
        first=first, last=last, candidates=tuple(chosen), standings=tuple(standings)
    )


def _chosen(
    event: EventStatus, first: int, last: int, now: float, most: int
) -> Sequence[Candidate]:
    if first < 0:
        raise BackfillError("the span begins before 1970")
    if last < first:
        raise BackfillError("the span ends before it begins")
    if last > now:
        raise BackfillError("the span ends in the future; the clock enqueues future occurrences")
    recurrence = event.recurrence
    if recurrence is None or isinstance(recurrence, Published):
        raise BackfillError(
            "its times come from code that only its schedule file has; use clock backfill FILE"
        )
    history = () if event.record is None else event.record.history
    chosen = list(islice(candidates(recurrence, first, last, history), most + 1))
    if len(chosen) > most:
        raise BackfillError(
            f"the span has more than {most} occurrences; backfill shorter ones one after another"
        )
    return chosen
