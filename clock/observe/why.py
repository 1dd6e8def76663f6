"""Why an occurrence fired, or did not, by the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from clock.decision import Decision, Kind
from clock.ledger.clocks import Life
from clock.ledger.descriptions import Description
from clock.observe.status import EventStatus
from clock.recurrence.published import Published
from clock.recurrence.recurrence import Recurrence, newest

LOOKED_BACK = 10 * 366 * 86_400
"""Seconds before an instant in which the occurrence before it is looked for."""


class Verdict(StrEnum):
    """What became of an occurrence, or why there is none."""

    FIRED = "fired"
    EXPIRED = "expired"
    MISSED = "missed"
    TOO_LATE = "too late"
    OVER_CAP = "over the cap"
    OVERLAP = "overlap"
    PAUSED = "paused"
    UNMET = "condition"
    ERROR = "condition failed"
    COMING = "coming"
    """It is due in the future."""
    PENDING = "pending"
    """It is due, and its clock may decide it at any moment."""
    OVERDUE = "overdue"
    """Clocks were working, and none decided it."""
    NO_CLOCK = "no clock"
    """It is past and not decided, because no clock is alive."""
    NOT_DUE = "not due"
    NOT_SCHEDULED = "not in the schedule"
    """The schedule did not have the event then, or not with these times."""
    DISABLED = "disabled"
    AHEAD = "ahead"
    """It is not decided, but the event's record stands beyond it, in the server's future."""
    FORGOTTEN = "forgotten"
    """It was decided, too long ago for the history."""
    UNKNOWN = "unknown"
    """Its times come from code that only its clock can run, and it published no such instant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """No clock was working from ``start`` to ``end``, in UTC seconds since 1970.

    ``start`` is None before the first known clock, ``end`` where there is still none.
    """

    start: float | None
    end: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyAnswer:
    """What became of the occurrence at ``at``. Instants are UTC seconds since 1970.

    ``decision`` is its decision in the history, ``earlier`` the occurrence whose job it would have
    overlapped, if the history still has it, ``absence`` the time without a clock that explains it.
    ``before`` and ``after`` are the nearest occurrences around an instant at which nothing is due;
    ``known_from`` is the oldest occurrence of a history that is cut off.
    """

    at: int
    verdict: Verdict
    decision: Decision | None = None
    earlier: int | None = None
    absence: Absence | None = None
    before: int | None = None
    after: int | None = None
    known_from: int | None = None


def why(event: EventStatus, lives: Sequence[Life], at: int, now: float) -> WhyAnswer:
    """What became of the occurrence of ``event`` at ``at``, as known at ``now``.

    ``event`` must have its whole history; ``lives`` are all known clocks. Raises
    RecurrenceError where the recurrence does.
    """
    ours = _lives_of(lives, event.description.file)
    history = () if event.record is None else event.record.history
    decision = decision_at(history, event.recurrence, at)
    if decision is not None:
        return _decided(decision, history, at, absence_at(ours, at))
    verdict = _not_scheduled(event.description, at)
    if verdict is not None:
        return WhyAnswer(at=at, verdict=verdict)
    recurrence = event.recurrence
    if recurrence is None or (isinstance(recurrence, Published) and not recurrence.knows(at)):
        return WhyAnswer(at=at, verdict=Verdict.UNKNOWN)
    if recurrence.next(at - 1) != at:
        return WhyAnswer(
            at=at,
            verdict=Verdict.NOT_DUE,
            before=newest(recurrence, at - LOOKED_BACK, at - 1),
            after=recurrence.next(at),
        )
    return _undecided(event, ours, at, now)


def last_due(event: EventStatus, now: float) -> int | None:
    """The last occurrence that was due by ``now`` while the event was in its schedule, or None.

    Raises RecurrenceError where the recurrence does.
    """
    description, last = event.description, int(now)
    if event.recurrence is None or description.removed is not None or not description.enabled:
        return None
    return newest(event.recurrence, max(description.since, last - LOOKED_BACK), last)


def decision_at(
    history: Sequence[Decision], recurrence: Recurrence | None, at: int
) -> Decision | None:
    """The decision of ``history`` about the occurrence at ``at``, or None."""
    for decision in history:
        if decision.kind is Kind.MANUAL or not decision.first <= at <= decision.last:
            continue
        is_end = at in {decision.first, decision.last}
        if is_end or (recurrence is not None and recurrence.next(at - 1) == at):
            return decision
    return None


def absence_at(lives: Sequence[Life], at: int) -> Absence | None:
    """The time around ``at`` in which none of ``lives`` was working; None where one was."""
    spans = [span for life in lives for span in life.spans()]
    if any(begin <= at <= end for begin, end in spans):
        return None
    return Absence(
        start=max((end for _, end in spans if end < at), default=None),
        end=min((begin for begin, _ in spans if begin > at), default=None),
    )


def _lives_of(lives: Sequence[Life], file: str) -> Sequence[Life]:
    # The clocks of a file that a deploy renamed have its old name.
    return [life for life in lives if life.file == file] or lives


def _decided(
    decision: Decision, history: Sequence[Decision], at: int, absence: Absence | None
) -> WhyAnswer:
    earlier = None
    if decision.kind is Kind.OVERLAP:
        fired = (
            decision.last
            for decision in history
            if decision.kind.is_enqueued and decision.last < at
        )
        earlier = next(fired, None)
    late = {Kind.MISSED, Kind.TOO_LATE, Kind.OVER_CAP, Kind.EXPIRED}
    return WhyAnswer(
        at=at,
        verdict=Verdict.FIRED if decision.kind.is_enqueued else Verdict[decision.kind.name],
        decision=decision,
        earlier=earlier,
        absence=absence if decision.kind in late else None,
    )


def _not_scheduled(description: Description, at: int) -> Verdict | None:
    if at <= description.since or (description.removed is not None and at >= description.removed):
        return Verdict.NOT_SCHEDULED
    return None if description.enabled else Verdict.DISABLED


def _undecided(event: EventStatus, lives: Sequence[Life], at: int, now: float) -> WhyAnswer:
    """The answer for an occurrence that is not in the history."""
    record = event.record
    if record is not None and event.is_ahead and at <= record.decided:
        return WhyAnswer(at=at, verdict=Verdict.AHEAD, after=record.decided)
    is_delayed = at == event.pending and event.pending_due is not None and event.pending_due > now
    if at > now or is_delayed:
        return WhyAnswer(at=at, verdict=Verdict.COMING)
    if record is not None and at <= record.decided:
        oldest = record.history[-1].first if record.history else None
        # A record that was moved forward has no decisions in between.
        known_from = oldest if oldest is not None and at < oldest else None
        return WhyAnswer(at=at, verdict=Verdict.FORGOTTEN, known_from=known_from)
    if event.pause is not None and (event.pause.until is None or event.pause.until > at):
        return WhyAnswer(at=at, verdict=Verdict.PAUSED)
    if event.overdue is not None:
        return WhyAnswer(at=at, verdict=Verdict.OVERDUE)
    if any(life.is_alive(now) for life in lives):
        return WhyAnswer(at=at, verdict=Verdict.PENDING)
    last = max((life.last_tick for life in lives), default=None)
    return WhyAnswer(at=at, verdict=Verdict.NO_CLOCK, absence=Absence(start=last, end=None))
