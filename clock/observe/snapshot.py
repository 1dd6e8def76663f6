"""A snapshot: all that the ledger holds of an application, read in one round trip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from redis import Redis

from clock import keys
from clock.connection.errors import server_errors
from clock.ledger.clocks import Life, parse_clocks
from clock.ledger.descriptions import Description, describe_refused, parse_descriptions
from clock.ledger.instants import parse_instants
from clock.ledger.pauses import Pause, parse_pauses
from clock.ledger.record import Record
from clock.ledger.records import parse_records
from clock.ledger.sources import SourceState, parse_refused, parse_sources
from clock.ledger.unreadable import collect_skipped, execute
from clock.recurrence.published import Published


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The ledger of an application: ``lives`` with the latest last tick first, and by event its
    description (those of removed events included), its record, its pause (ended ones included) and
    its published instants. The rows of sources are among the events, refused ones too; ``sources``
    are these by name. ``unreadable`` lists the skipped entries, each with the reason.
    """

    app: str
    lives: tuple[Life, ...]
    descriptions: Mapping[str, Description]
    records: Mapping[str, Record]
    pauses: Mapping[str, Pause]
    instants: Mapping[str, Published]
    sources: Mapping[str, SourceState] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()


def read_snapshot(connection: Redis, app: str, decisions: int | None = None) -> Snapshot:
    """The present ledger of ``app``, with the newest ``decisions`` of each event, or all: to read
    them takes most of the time. Raises ServerError.
    """
    hashes = (
        *(keys.clocks, keys.descriptions, keys.decided, keys.pauses, keys.instants),
        *(keys.rows, keys.refused_rows, keys.sources),
    )
    # One transaction, so that no record is older than the pause or the clock that goes with it.
    with server_errors(), connection.pipeline(transaction=True) as pipeline:
        for key in hashes:
            pipeline.hgetall(key(app))
        with collect_skipped() as skipped:
            clocks, descriptions, decided, pauses, instants, *of_sources = execute(pipeline)
            rows, refused, sources = of_sources
            return Snapshot(
                app=app,
                lives=tuple(parse_clocks(app, clocks)),
                descriptions={
                    **describe_refused(parse_refused(app, refused)),
                    **parse_descriptions(app, rows, keys.rows),
                    **parse_descriptions(app, descriptions),
                },
                records=parse_records(app, decided, decisions),
                pauses=parse_pauses(app, pauses),
                instants=parse_instants(app, instants),
                sources=parse_sources(app, sources),
                unreadable=tuple(skipped),
            )
