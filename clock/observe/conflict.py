"""Conflicts: live clocks of one application whose declarations of an event differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clock.ledger.clocks import Life


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockConflict:
    """Two live clocks whose declarations of ``number`` events differ; ``events`` names some."""

    clocks: tuple[Life, Life]
    number: int
    events: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What is wrong, and what to do."""
        one, other = (f"{life.file} on {life.host}:{life.pid}" for life in self.clocks)
        more = (
            "" if self.number == len(self.events) else f" and {self.number - len(self.events)} more"
        )
        return (
            f"the clocks of {one} and {other} declare {', '.join(self.events)}{more} differently: "
            "stop the one that is out of date, or give each application an --app and "
            "queues of its own"
        )


def conflicts_of(alive: Sequence[Life]) -> tuple[ClockConflict, ...]:
    """The conflicts that the live clocks ``alive`` recorded, each once."""
    by_token = {life.token: life for life in alive}
    conflicts: dict[frozenset[str], ClockConflict] = {}
    for life in alive:
        for conflict in life.conflicts:
            pair = frozenset((life.token, conflict.token))
            other = by_token.get(conflict.token)
            if other is not None and len(pair) == 2 and pair not in conflicts:
                conflicts[pair] = ClockConflict(
                    clocks=(life, other), number=conflict.number, events=conflict.events
                )
    return tuple(conflicts.values())
