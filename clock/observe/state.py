"""The state of an event, in one word."""

from __future__ import annotations

from enum import StrEnum

from clock.decision import Decision, Group, Kind
from clock.ledger.record import Record

LATE = 10.0
"""Seconds of lateness from which an occurrence counts as late."""


class State(StrEnum):
    """The states of an event. The first that applies, in this order, is its state."""

    REFUSED = "refused"
    """It is a row of a source, and is not in force because of a mistake in it."""

    DISABLED = "disabled"
    """The schedule switches it off."""

    NO_CLOCK = "no clock"
    """Its time is past, and no clock of its schedule file is alive."""

    AHEAD = "ahead"
    """Its record stands in the server's future, and it does not fire until then."""

    PAUSED = "paused"
    """It was paused, and the pause has not ended."""

    OVERDUE = "overdue"
    """Its time is past by more than the tolerance, a clock was working, and nothing was decided."""

    FAILING = "failing"
    """Its last run failed, or its condition raised an error."""

    MISSED = "missed"
    """Its last decided occurrence was missed or expired."""

    NEVER_RUN = "never run"
    """It never fired, and was never run by hand."""

    LATE = "late"
    """The last occurrence that fired was ``LATE`` seconds late or more."""

    ON_TIME = "on time"
    """None of these applies."""


def state_of_history(record: Record | None) -> State:
    """The state of an event by its record alone."""
    last = last_decision(record)
    if last is not None and last.kind.group is Group.FAILED:
        return State.FAILING
    if last is not None and last.kind.group is Group.MISSED:
        return State.MISSED
    if record is None or (record.fired is None and last_manual(record) is None):
        return State.NEVER_RUN
    lateness = last_lateness(record)
    return State.LATE if lateness is not None and lateness >= LATE else State.ON_TIME


def last_decision(record: Record | None) -> Decision | None:
    """The newest decision about an occurrence, or None; runs by hand are not occurrences."""
    history = () if record is None else record.history
    return next((decision for decision in history if decision.kind is not Kind.MANUAL), None)


def last_manual(record: Record | None) -> int | None:
    """When the event was run by hand last (UTC seconds since 1970), as far as its history goes."""
    history = () if record is None else record.history
    return next((decision.last for decision in history if decision.kind is Kind.MANUAL), None)


def last_lateness(record: Record | None) -> float | None:
    """The lateness, in seconds, of the last occurrence that fired; None where it is not known."""
    history = () if record is None else record.history
    return next((decision.lateness for decision in history if decision.kind.is_enqueued), None)
