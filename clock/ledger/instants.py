"""Published instants: the coming occurrences of events whose recurrence cannot be encoded.

The field of an event is ``<all or some> <instant> <instant> ...``, in UTC seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from redis import Redis

from clock import keys
from clock.connection.errors import server_errors
from clock.ledger.unreadable import readable
from clock.ledger.values import second
from clock.recurrence.published import Published


def publish(connection: Redis, app: str, event: str, published: Published) -> None:
    """Replace the coming instants of ``event``. Raises ServerError."""
    word = "all" if published.is_all else "some"
    text = " ".join((word, *map(str, published.instants)))
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        pipeline.hset(keys.instants(app), event, text)
        pipeline.expire(keys.instants(app), keys.TTL)
        pipeline.execute()


def parse_instants(app: str, instants: Mapping[Any, Any] | None) -> dict[str, Published]:
    """The instants in the ledger's hash of them, by event."""
    return readable(keys.instants(app), instants, _parse)


def _parse(_event: str, line: str) -> Published:
    word, *texts = line.split()
    instants = tuple(map(second, texts))
    if word not in {"all", "some"} or any(a >= b for a, b in pairwise(instants)):
        raise ValueError("not instants in their order")
    return Published(instants=instants, is_all=word == "all")
