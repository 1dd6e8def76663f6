"""Reading the records of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from redis import Redis

from clock import keys
from clock.connection.errors import server_errors
from clock.errors import ServerError, UnknownEventError
from clock.ledger.record import Record, parse_record
from clock.ledger.unreadable import readable, reply_about, texts
from clock.suggest import nearest

NAMES_SHOWN = 20
"""Names of events in the message about an unknown one."""


def read_record(connection: Redis, app: str, event: str) -> Record:
    """The record of one event.

    Raises UnknownEventError, naming those there are, and ServerError where the server is away or
    the record is unreadable.
    """
    record = find_record(connection, app, event)
    if record is None:
        raise ServerError(f"the record of {event!r} is unreadable")
    return record


def find_record(connection: Redis, app: str, event: str) -> Record | None:
    """The record of one event; None if it is unreadable.

    Raises UnknownEventError, naming those there are, and ServerError where the server is away.
    """
    key = keys.decided(app)
    line = reply_about(key, connection.hget, event)
    if line is None:
        known = sorted(texts(key, reply_about(key, connection.hkeys)))
        raise UnknownEventError(unknown_event(event, known, app))
    return parse_records(app, {event: line}).get(event)


def parse_records(
    app: str, lines: Mapping[Any, Any] | None, newest: int | None = None
) -> dict[str, Record]:
    """The records in the ledger's hash of them, by event, with their ``newest`` decisions."""
    return readable(keys.decided(app), lines, lambda _event, line: parse_record(line, newest))


def read_decided(connection: Redis, app: str) -> dict[str, int]:
    """The instant of the last decided occurrence of each event, in UTC seconds since 1970.

    Raises ServerError.
    """
    with server_errors():
        lines = connection.hscan_iter(keys.decided(app), count=1000)
        return {
            name: record.decided
            for field, line in lines
            for name, record in parse_records(app, {field: line}, 0).items()
        }


def unknown_event(event: str, names: Sequence[str], app: str) -> str:
    """The message about an ``event`` that is not one of ``names``, those of the application."""
    if not names:
        return f"there is no event {event!r}: no clock of the application {app!r} ran yet"
    suggestion = nearest(event, names)
    hint = f", did you mean {suggestion!r}?" if suggestion else ";"
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    shown = ", ".join(names[:NAMES_SHOWN])
    return f"there is no event {event!r}{hint} the events are {shown}{more}"
