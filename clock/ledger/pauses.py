"""Pauses: which events do not fire for a while, until when, and why.

They are kept in the ledger, so they survive restarts and deploys; the claim looks at them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redis import Redis
from rq.utils import as_text

from clock.ledger import keys
from clock.ledger.records import read_record
from clock.ledger.script import server_errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A pause: its end (UTC seconds since 1970, None for none), its reason, who began it and
    when.
    """

    until: int | None
    reason: str
    by: str
    since: int


def pause(connection: Redis, app: str, event: str, pause: Pause) -> None:
    """Let no occurrence of ``event`` fire that is scheduled before the pause ends.

    Raises UnknownEventError, and LedgerError where the server is away or refuses.
    """
    read_record(connection, app, event)
    said = json.dumps({"reason": pause.reason, "by": pause.by, "since": pause.since})
    until = "-" if pause.until is None else str(pause.until)
    with server_errors(), connection.pipeline() as pipeline:
        pipeline.hset(keys.pauses(app), event, f"{until} {said}")
        pipeline.expire(keys.pauses(app), keys.TTL)
        pipeline.execute()


def resume(connection: Redis, app: str, event: str) -> Pause | None:
    """End the pause of ``event``; returns it, or None where there was none. Raises as ``pause``."""
    read_record(connection, app, event)
    before = read_pauses(connection, app).get(event)
    with server_errors():
        connection.hdel(keys.pauses(app), event)
    return before


def read_pauses(connection: Redis, app: str) -> dict[str, Pause]:
    """Every pause by its event, ended ones included. Raises LedgerError."""
    with server_errors():
        found = connection.hgetall(keys.pauses(app))
    return parse_pauses(found)


def parse_pauses(found: Mapping[Any, Any]) -> dict[str, Pause]:
    """The pauses in the ledger's hash of them, by event."""
    return {as_text(event): parse_pause(as_text(line)) for event, line in found.items()}


def parse_pause(line: str) -> Pause:
    """The pause in the field of an event."""
    until, _, said = line.partition(" ")
    return Pause(until=None if until == "-" else int(until), **json.loads(said))
