"""What became of all occurrences where the server lost its data.

An era lies between two losses. What one era decided, the next may not know: so each is judged by
its own records, and what lies between two, or in both, is counted apart.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.faults.checker import Verdict, instants, judge, miscounted, name_of
from clock.decision import Decision
from clock.ledger.record import Record
from clock.schedule.event import Event

MARGIN = 20.0
"""Seconds from a loss within which clocks are in doubt of it: more than one that was suspended, or
waits for a condition or a silent server, knows too little."""

Received = Mapping[str, Counter[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Era:
    """What came to queues and what was recorded from one loss of data to the next.

    ``records`` are those at its end, at ``ended`` in UTC seconds since 1970; ``reasons`` may be
    older. ``begun`` are the records it began with, none where everything was flushed. Of one that
    began with a copy, ``restored_to`` is up to when nothing was to fire again, and ``waiting`` how
    many jobs its end took from the queues.
    """

    begun: Mapping[str, Record] = field(default_factory=dict)
    restored_to: int | None = None
    received: Received
    reasons: Mapping[str, Collection[Decision]]
    records: Mapping[str, Record]
    ended: float
    waiting: int = 0


@dataclass(slots=True)
class Totals:
    """``verdict`` is on each era by itself; its ``fired`` and ``reasons`` count what several eras
    decided several times. The rest is what the losses of data did to occurrences.
    """

    verdict: Verdict = field(default_factory=Verdict)
    enqueued_again: int = 0
    """By a clock that had not heard of the decision which the server forgot."""

    decided_again: int = 0
    """The same, but not enqueued both times."""

    left_out_by_clocks: int = 0
    """Decided by nobody: who wrote the event into the emptied ledger stood later."""

    left_out_by_restoring: int = 0
    """Decided by nobody: they were still to be made up when the data was lost, and are earlier than
    what was enqueued last, up to where records were moved."""


def add_up(events: Iterable[Event], *, since: int, until: int, eras: Sequence[Era]) -> Totals:
    """Judge every occurrence later than ``since``, up to ``until`` or to where its event is
    decided, if that is later, both in UTC seconds since 1970.
    """
    totals = Totals()
    for event in events:
        _judge(event, since, until, eras, totals)
    return totals


def _judge(event: Event, since: int, until: int, eras: Sequence[Era], totals: Totals) -> None:
    known = [era.records[event.name].decided for era in eras if event.name in era.records]
    expected = instants(event, since, max([until, *known]))
    verdict = Verdict()
    reached, decided, fired = 0, set[int](), set[int]()
    for before, era in zip([None, *eras], eras, strict=False):
        received = era.received.get(event.name, Counter())
        record = era.records.get(event.name)
        if record is None:
            if received:
                verdict.strange.append(f"{event.name} came, and has no record")
            continue
        end = bisect_right(expected, record.decided)
        own = _decided_in(era, event, expected[:end])
        accounted_for = decided.union(own)
        begin = bisect_left(expected, own[0]) if own else end
        # A clock that is behind may have entered the event where one that is ahead then went on.
        verdict.lost += [
            f"{name_of(event, instant)} was decided by nobody"
            for instant in expected[begin:end]
            if instant not in accounted_for
        ]
        if era is eras[-1]:
            own, end = [*own, *expected[end:]], len(expected)
        verdict.add(_judge_era(event, own, era, received, record))
        if before is not None:
            _count_across(event, expected[reached:begin], before, era, totals, verdict)
            again = decided.intersection(own)
            twice = fired.intersection(own, received)
            totals.enqueued_again += len(twice)
            totals.decided_again += len(again) - len(twice)
            verdict.doubled += [
                f"{name_of(event, instant)} was enqueued again after a loss of data"
                for instant in sorted(twice)
                if era.restored_to is not None or instant < before.ended - MARGIN
            ]
        reached = max(reached, end)
        decided.update(own)
        fired.update(received)
    verdict.lost += [
        f"{name_of(event, instant)} never came, for no reason" for instant in expected[reached:]
    ]
    # An occurrence is expected once, however many eras decide it.
    verdict.expected = len(expected)
    totals.verdict.add(verdict)


def _decided_in(era: Era, event: Event, expected: Sequence[int]) -> list[int]:
    """Which of ``expected`` an era decided: all behind the records it began with; where it began
    with none, those that came or have a reason.
    """
    begun = era.begun.get(event.name)
    if begun is not None:
        return list(expected[bisect_right(expected, begun.decided) :])
    decided = set(era.received.get(event.name, ()))
    for reason in era.reasons.get(event.name, ()):
        decided.update(
            expected[bisect_left(expected, reason.first) : bisect_right(expected, reason.last)]
        )
    return [instant for instant in expected if instant in decided]


def _count_across(
    event: Event,
    left_out: Sequence[int],
    before: Era,
    era: Era,
    totals: Totals,
    verdict: Verdict,
) -> None:
    """Count what neither the era before nor this one decided."""
    if era.restored_to is None:
        totals.left_out_by_clocks += len(left_out)
    else:
        totals.left_out_by_restoring += len(left_out)
    verdict.lost += [
        f"{name_of(event, instant)} was decided by nobody"
        for instant in left_out
        if instant > before.ended + MARGIN
    ]


def _judge_era(
    event: Event, expected: Sequence[int], era: Era, received: Counter[int], record: Record
) -> Verdict:
    begun = era.begun.get(event.name)
    known = 0 if begun is None else begun.decided
    reasons = [decision for decision in era.reasons.get(event.name, ()) if decision.last > known]
    verdict = judge(event, expected, received, reasons)
    verdict.strange += miscounted(event, verdict, record, begun)
    if era.restored_to is not None and begun is not None and begun.decided < era.restored_to:
        verdict.strange.append(f"{event.name} was not restored to {era.restored_to}")
    return verdict
