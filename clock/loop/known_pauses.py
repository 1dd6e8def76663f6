"""The pauses that a clock knows, for a server that loses its data while the clock runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from redis import Redis
from rq.utils import as_text

from clock import keys, log
from clock.connection.errors import server_errors
from clock.ledger.clocks import Heard, Life
from clock.ledger.pauses import parse_pauses, write_back
from clock.ledger.unreadable import texts
from clock.loop.trouble import some_of
from clock.schedule.event import Event

NAMED = 20
"""Events that a line names; of more, it has the number."""


@dataclass(slots=True, eq=False)
class KnownPauses:
    """The pauses as the ledger had them at the last heartbeat."""

    connection: Redis
    app: str
    events: Sequence[Event]
    _pauses: Mapping[bytes, bytes] = field(default_factory=dict, init=False)

    def keep(self, pauses: Mapping[bytes, bytes] | None) -> None:
        """Remember the ledger's hash of pauses; None, where it may not be read, changes nothing."""
        if pauses is not None:
            self._pauses = pauses

    def recover(self, heard: Heard, life: Life, now: float) -> None:
        """The server lost data: write the pauses back, and log what is known to be lost.

        ``life`` is this clock's, as it was noted last; ``now`` is UTC seconds since 1970. Raises
        ServerError; nothing is lost by calling it again.
        """
        written = write_back(self.connection, self.app, self._pauses, now)
        fields = {
            "reason": _reason(heard.before, life),
            "records_lost": self._without_record(),
            "pauses_written_back": some_of(written, NAMED) or "none",
        }
        back = self._ended_before(heard, life)
        if back:
            fields["paused_again"] = some_of(back, NAMED)
        fields["see"] = "docs/recovery.md"
        log.error("server lost data", **fields)

    def _without_record(self) -> str:
        with server_errors():
            names = cast("list[bytes]", self.connection.hkeys(keys.decided(self.app)))
        known = set(texts(keys.decided(self.app), names))
        lost = sum(1 for event in self.events if event.name not in known)
        return f"{lost} of {len(self.events)}"

    def _ended_before(self, heard: Heard, life: Life) -> list[str]:
        """Events whose pause had ended, and holds again because the server went back."""
        if heard.before is None or heard.pauses is None:
            return []
        known = {as_text(event) for event in self._pauses}
        return [
            event
            for event, pause in parse_pauses(self.app, heard.pauses).items()
            if event not in known and pause.since < heard.before.last_tick
        ]


def _reason(before: Life | None, life: Life) -> str:
    if before is None:
        return (
            "it lost its data: records and histories of events, pauses, runs, counters, and the "
            "jobs that waited; what can be known is written again"
        )
    at = datetime.fromtimestamp(before.last_tick, UTC)
    gone = max(0.0, life.last_tick - before.last_tick)
    return (
        f"it went back to its data of {at:%Y-%m-%dT%H:%M:%SZ} and lost {gone:.0f} s: decisions, "
        "pauses, runs and jobs of that time; what can be known is written again"
    )
