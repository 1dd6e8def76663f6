"""Decisions: what becomes of an occurrence. Each occurrence gets exactly one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What became of an occurrence; the value is its letter in a history."""

    FIRED = "f"
    """Its job was enqueued."""

    FIRED_PAST_STUCK = "s"
    """Its job was enqueued although the one before still waits: that one has waited for too
    long.
    """

    EXPIRED = "x"
    """It was past its ``expires`` when it could have been enqueued."""

    MISSED = "m"
    """No clock could claim it in time, and by ``catch_up`` it is not made up."""

    TOO_LATE = "w"
    """It could have been made up, but not within ``within``."""

    OVER_CAP = "k"
    """It could have been made up, but more than ``catch_up`` allows had been missed."""

    OVERLAP = "o"
    """The job before it was still waiting or running, and ``overlap`` is ``"skip"``."""

    PAUSED = "p"
    """Its event was paused."""

    UNMET = "u"
    """Its condition, ``if_``, said no."""

    ERROR = "e"
    """Its condition, ``if_``, raised an error."""

    MANUAL = "r"
    """Not an occurrence: somebody ran the event by hand at this instant."""


FIRING = frozenset({Kind.FIRED, Kind.FIRED_PAST_STUCK})


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision: about the ``count`` occurrences from ``first`` to ``last``, nearly always one.

    Instants are UTC seconds since 1970; ``lateness`` is in seconds, for those that fired.
    """

    kind: Kind
    first: int
    last: int
    count: int = 1
    lateness: float | None = None
