"""Every occurrence that should exist, against what RQ received and what the ledger records."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from benchmarks.faults.conditions import NEVER_ANSWER
from clock.decision import Decision, Kind
from clock.ledger.record import Record
from clock.schedule.event import Event

MAKES_UP = 10_000
"""An event whose ``catch_up`` is at least this must not miss anything at all."""

TOLERANCE = 0.1
"""Seconds before its time at which an occurrence may be enqueued at the earliest."""

OF_CONDITIONS = frozenset({Kind.UNMET, Kind.ERROR})
"""Reasons that only an event with a condition may have."""

MISSING = frozenset({Kind.MISSED, Kind.TOO_LATE, Kind.OVER_CAP})


@dataclass(slots=True)
class Verdict:
    """What became of all occurrences. The lists hold one sentence for each case."""

    expected: int = 0
    fired: int = 0
    reasons: Counter[Kind] = field(default_factory=Counter)
    """Of the occurrences that did not fire, how many for which reason."""

    gone: list[tuple[str, int]] = field(default_factory=list)
    """Event and instant of what was decided on a primary that was overthrown, and nowhere else."""

    lost: list[str] = field(default_factory=list)
    """Neither enqueued nor with a reason, or with one that its event does not allow."""

    doubled: list[str] = field(default_factory=list)
    """On a queue more than once, or enqueued and recorded as not enqueued."""

    early: list[str] = field(default_factory=list)
    """Enqueued before its time, beyond the tolerance."""

    strange: list[str] = field(default_factory=list)
    """Enqueued, and no occurrence; or jobs and counters that do not fit."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, doubled, early or strange."""
        return not (self.lost or self.doubled or self.early or self.strange)

    def add(self, other: Verdict) -> None:
        """Take in the verdict on another event."""
        self.expected += other.expected
        self.fired += other.fired
        self.reasons += other.reasons
        self.gone += other.gone
        self.lost += other.lost
        self.doubled += other.doubled
        self.early += other.early
        self.strange += other.strange


def check(
    events: Iterable[Event],
    *,
    since: int,
    until: int,
    received: Mapping[str, Counter[int]],
    reasons: Mapping[str, Collection[Decision]],
    records: Mapping[str, Record],
    overthrown: Mapping[str, Collection[int]] | None = None,
) -> Verdict:
    """Judge every occurrence later than ``since``, up to ``until`` or to where its event is
    decided, if that is later. Instants are UTC seconds since 1970. ``overthrown`` are those that
    were decided on a primary whose last writes no replica had.
    """
    verdict = Verdict()
    for event in events:
        record = records.get(event.name)
        end = until if record is None else max(until, record.decided)
        expected = instants(event, since, end)
        of_event = judge(
            event,
            expected,
            received.get(event.name, Counter()),
            reasons.get(event.name, ()),
            overthrown.get(event.name, ()) if overthrown else (),
        )
        if record is not None:
            of_event.strange += miscounted(event, of_event, record)
        verdict.add(of_event)
    return verdict


def judge(
    event: Event,
    expected: Sequence[int],
    received: Counter[int],
    reasons: Collection[Decision],
    overthrown: Collection[int] = (),
) -> Verdict:
    """Judge the occurrences of one event."""
    verdict = Verdict(expected=len(expected))
    why: dict[int, Kind] = {}
    for decision in reasons:
        within = expected[
            bisect_left(expected, decision.first) : bisect_right(expected, decision.last)
        ]
        if len(within) != decision.count:
            verdict.strange.append(f"{event.name}: {decision} counts {len(within)} occurrences")
        for instant in within:
            if instant in why:
                verdict.strange.append(f"{name_of(event, instant)} has two reasons")
            why[instant] = decision.kind
    known = set(expected)
    verdict.strange += [
        f"{name_of(event, instant)} is not an occurrence"
        for instant in received
        if instant not in known
    ]
    for instant in expected:
        times, reason = received[instant], why.get(instant)
        if times:
            verdict.fired += 1
        if times > 1:
            verdict.doubled.append(f"{name_of(event, instant)} came {times} times")
        elif times and reason is not None:
            verdict.doubled.append(
                f"{name_of(event, instant)} came and is recorded as {reason.name}"
            )
        elif not times and reason is None and instant in overthrown:
            verdict.gone.append((event.name, instant))
        elif not times and reason is None:
            verdict.lost.append(f"{name_of(event, instant)} never came, for no reason")
        elif reason is not None:
            verdict.reasons[reason] += 1
            if not _allows(event, reason):
                verdict.lost.append(f"{name_of(event, instant)} is {reason.name}, and must not be")
    if verdict.fired and event.policy.condition in NEVER_ANSWER:
        verdict.strange.append(f"{event.name} fired, and its condition never said so")
    return verdict


def earliness(instant: int, enqueued: float) -> str:
    """What to say of an occurrence that was enqueued at ``enqueued``; "" where that is not early.
    Both are in UTC seconds since 1970.
    """
    early = instant - enqueued
    return f"was enqueued {early:.3f} s before its time" if early > TOLERANCE else ""


def _allows(event: Event, reason: Kind) -> bool:
    if reason in OF_CONDITIONS:
        return event.policy.condition is not None
    return reason not in MISSING or event.policy.catch_up < MAKES_UP or bool(event.policy.within)


def miscounted(
    event: Event, verdict: Verdict, record: Record, begun: Record | None = None
) -> list[str]:
    """What disagrees between a verdict and the counters of a record, less those it began with."""
    wrong = []
    counted = Counter(record.counters)
    counted.subtract(begun.counters if begun is not None else {})
    if counted["fired"] != verdict.fired:
        wrong.append(f"{event.name}: {verdict.fired} came, counted {counted['fired']} times")
    decided = counted.total()
    if decided != verdict.expected - len(verdict.gone):
        wrong.append(f"{event.name}: {verdict.expected} occurrences, {decided} decisions counted")
    return wrong


def instants(event: Event, since: int, until: int) -> list[int]:
    """The occurrences later than ``since``, up to ``until``, all in UTC seconds since 1970."""
    occurrences = event.occurrences(
        datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(until, UTC)
    )
    return [round(instant.timestamp()) for instant in occurrences]


def is_decided(
    events: Iterable[Event], records: Mapping[str, Record], since: int, until: int
) -> bool:
    """Whether every occurrence up to ``until`` is; each event has one later than ``since``."""
    return all(
        event.name in records
        and records[event.name].decided >= max(instants(event, since, until), default=0)
        for event in events
    )


def name_of(event: Event, instant: int) -> str:
    """An occurrence, for people."""
    return f"{event.name} at {datetime.fromtimestamp(instant, UTC):%H:%M:%S}"
