"""The occurrences of a span that could be backfilled, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from clock.decision import Decision, Kind
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
