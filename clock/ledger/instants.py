"""Published instants: the coming occurrences of events whose recurrence cannot be written down.

The field of an event is ``<all or some> <instant> <instant> ...``, in UTC seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from redis import Redis
from rq.utils import as_text

from clock.ledger import keys
from clock.ledger.script import server_errors
from clock.recurrence.published import Published


def publish(connection: Redis, app: str, event: str, published: Published) -> None:
    """Write the coming instants of ``event``, in place of what is there. Raises LedgerError."""
    word = "all" if published.is_all else "some"
    text = " ".join((word, *map(str, published.instants)))
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        pipeline.hset(keys.instants(app), event, text)
        pipeline.expire(keys.instants(app), keys.TTL)
        pipeline.execute()


def parse_instants(found: Mapping[Any, Any]) -> dict[str, Published]:
    """The instants in the ledger's hash of them, by event."""
    return {as_text(event): _parse(as_text(line)) for event, line in found.items()}


def _parse(line: str) -> Published:
    word, *instants = line.split()
    return Published(instants=tuple(map(int, instants)), is_all=word == "all")
