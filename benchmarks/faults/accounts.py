"""Why occurrences were not enqueued, as ledgers record it that may be forgotten."""

from __future__ import annotations

from collections.abc import Mapping

from redis import Redis

from benchmarks.faults.lineage import Lineage, Position, position
from benchmarks.faults.reasons import Reasons, parsed, reasons_in
from clock import keys
from clock.decision import Decision
from clock.ledger.record import Record


class Accounts(Reasons):
    """Reads the histories, and remembers which primary said what when."""

    def __init__(self, connection: Redis, app: str) -> None:
        super().__init__(connection, app)
        self._seen: list[tuple[Position, dict[str, set[Decision]]]] = []

    def read(self) -> Mapping[str, Record]:
        with self._connection.pipeline() as pipeline:
            pipeline.info("replication")
            pipeline.hgetall(keys.decided(self._app))
            info, lines = pipeline.execute()
        records = parsed(lines)
        decided = {event: reasons_in(record) for event, record in records.items()}
        self._seen.append((position(info), decided))
        return records

    def known(self, lineage: Lineage) -> Mapping[str, set[Decision]]:
        """Event -> what was decided of occurrences that did not fire and is not forgotten."""
        known: dict[str, set[Decision]] = {}
        for seen_at, decided in self._seen:
            if lineage.has(seen_at):
                for event, decisions in decided.items():
                    known.setdefault(event, set()).update(decisions)
        return known
