"""Decisions: what becomes of an occurrence. Every occurrence gets exactly one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Group(StrEnum):
    """What a decision means for the event."""

    ENQUEUED = "enqueued"
    MISSED = "missed"
    """It should have been enqueued, and was not."""
    SKIPPED = "skipped"
    """It should not be enqueued."""
    FAILED = "failed"
    """Its condition did not say whether it should be enqueued."""
    MANUAL = "manual"
    """It is not about an occurrence."""


class Kind(StrEnum):
    """What became of an occurrence. The value is its letter in a history.

    ``message`` and ``reason`` are for people; ``counter`` is the one of a record that counts it,
    and ``label`` its value of the label ``reason`` in metrics.
    """

    group: Group
    message: str
    reason: str | None
    counter: str
    label: str

    # Type checkers take ``Kind("f")`` for a call of this, so all but the letter has a default.
    def __new__(
        cls,
        letter: str,
        group: Group = Group.MANUAL,
        counter: str = "",
        message: str = "",
        reason: str | None = None,
        label: str | None = None,
    ) -> Kind:
        kind = str.__new__(cls, letter)
        kind._value_ = letter
        kind.group, kind.counter, kind.message, kind.reason = group, counter, message, reason
        kind.label = label or counter
        return kind

    FIRED = "f", Group.ENQUEUED, "fired", "enqueued"
    """Its job was enqueued."""

    FIRED_PAST_STUCK = (
        *("s", Group.ENQUEUED, "fired", "enqueued"),
        "the previous job has been waiting for too long",
    )
    """Its job was enqueued although the previous one still waits: longer than ``stuck_after``."""

    EXPIRED = "x", Group.MISSED, "expired", "expired"
    """It was past its ``expires`` when it could have been enqueued."""

    MISSED = "m", Group.MISSED, "missed", "missed", "no clock could claim it"
    """No clock could claim it in time, and ``catch_up`` does not make it up."""

    TOO_LATE = "w", Group.MISSED, "missed", "missed", "too late"
    """It could have been made up, but not within ``within``."""

    OVER_CAP = "k", Group.MISSED, "missed", "missed", "more were missed than catch_up makes up"
    """It could have been made up, but more than ``catch_up`` allows had been missed."""

    OVERLAP = (
        *("o", Group.SKIPPED, "overlap", "skipped"),
        "overlap: the previous job is still waiting or running",
    )
    """The previous job was still waiting or running, and ``overlap`` is ``"skip"``."""

    PAUSED = "p", Group.SKIPPED, "paused", "skipped", "paused"
    """Its event was paused."""

    UNMET = "u", Group.SKIPPED, "unmet", "skipped", "its condition was not met", "condition"
    """Its condition, ``if_``, returned a false value."""

    ERROR = "e", Group.FAILED, "error", "skipped", "its condition failed", "condition_failed"
    """Its condition, ``if_``, raised an error or did not return in time."""

    MANUAL = "r", Group.MANUAL, "", "run by hand"
    """Not an occurrence: somebody ran the event by hand at this instant."""

    @property
    def is_enqueued(self) -> bool:
        """Whether a job was enqueued for the occurrence."""
        return self.group is Group.ENQUEUED

    @property
    def words(self) -> str:
        """Message and reason: ``missed: too late``."""
        return self.message if self.reason is None else f"{self.message}: {self.reason}"


COUNTERS = ("fired", "expired", "missed", "overlap", "paused", "unmet", "error")
"""The counters of a record in their stored order, which never changes."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision about the ``count`` occurrences from ``first`` to ``last``, nearly always one.

    Instants are UTC seconds since 1970; ``lateness`` is in seconds, for occurrences that fired.
    """

    kind: Kind
    first: int
    last: int
    count: int = 1
    lateness: float | None = None
