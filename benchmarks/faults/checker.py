"""Every occurrence that should exist, against what RQ received and what the ledger records."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from clock.decision import Decision, Kind
from clock.ledger.record import Record
from clock.schedule.event import Event

MAKES_UP = 10_000
"""An event whose ``catch_up`` is at least this must not miss anything at all."""

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

    strange: list[str] = field(default_factory=list)
    """Enqueued, and no occurrence; or jobs and counters that do not fit."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, doubled or strange."""
        return not (self.lost or self.doubled or self.strange)

    def add(self, other: Verdict) -> None:
        """Take in the verdict on another event."""
        self.expected += other.expected
        self.fired += other.fired
        self.reasons += other.reasons
        self.gone += other.gone
        self.lost += other.lost
        self.doubled += other.doubled
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
        expected = _instants(event, since, end)
        found = judge(
            event,
            expected,
            received.get(event.name, Counter()),
            reasons.get(event.name, ()),
            overthrown.get(event.name, ()) if overthrown else (),
        )
        if record is not None:
            found.strange += _miscounted(event, found, record)
        verdict.add(found)
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
                verdict.strange.append(f"{_name(event, instant)} has two reasons")
            why[instant] = decision.kind
    known = set(expected)
    verdict.strange += [
        f"{_name(event, instant)} is no occurrence" for instant in received if instant not in known
    ]
    for instant in expected:
        times, reason = received[instant], why.get(instant)
        if times:
            verdict.fired += 1
        if times > 1:
            verdict.doubled.append(f"{_name(event, instant)} came {times} times")
        elif times and reason is not None:
            verdict.doubled.append(f"{_name(event, instant)} came and is recorded as {reason.name}")
        elif not times and reason is None and instant in overthrown:
            verdict.gone.append((event.name, instant))
        elif not times and reason is None:
            verdict.lost.append(f"{_name(event, instant)} never came, for no reason")
        elif reason is not None:
            verdict.reasons[reason] += 1
            if reason in MISSING and _makes_up(event):
                verdict.lost.append(f"{_name(event, instant)} is {reason.name}, and must not be")
    return verdict


def _makes_up(event: Event) -> bool:
    return event.policy.catch_up >= MAKES_UP and event.policy.within is None


def _miscounted(event: Event, found: Verdict, record: Record) -> list[str]:
    wrong = []
    if record.counters["fired"] != found.fired:
        wrong.append(f"{event.name}: {found.fired} came, counted {record.counters['fired']} times")
    decided = sum(record.counters.values())
    if decided != found.expected - len(found.gone):
        wrong.append(f"{event.name}: {found.expected} occurrences, {decided} decisions counted")
    return wrong


def _instants(event: Event, since: int, until: int) -> list[int]:
    found = event.occurrences(
        datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(until, UTC)
    )
    return [round(instant.timestamp()) for instant in found]


def _name(event: Event, instant: int) -> str:
    return f"{event.name} at {datetime.fromtimestamp(instant, UTC):%H:%M:%S}"
