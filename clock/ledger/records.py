"""Reading the ledger: the records of events."""

from __future__ import annotations

from redis import Redis
from rq.utils import as_text

from clock.errors import UnknownEventError
from clock.ledger import keys
from clock.ledger.record import Record, parse_record
from clock.ledger.script import server_errors
from clock.near import nearest

NAMES_SHOWN = 20
"""Names of events in the message about an unknown one."""


def read_record(connection: Redis, app: str, event: str) -> Record:
    """The record of one event.

    Raises UnknownEventError, naming those there are, and LedgerError where the server is away.
    """
    with server_errors():
        line = connection.hget(keys.decided(app), event)
        if line is None:
            names = sorted(as_text(name) for name in connection.hkeys(keys.decided(app)))
            raise UnknownEventError(_unknown(event, names, app))
    return parse_record(line)


def read_decided(connection: Redis, app: str) -> dict[str, int]:
    """The instant of the last decided occurrence of each event, in UTC seconds since 1970.

    Raises LedgerError.
    """
    with server_errors():
        found = connection.hscan_iter(keys.decided(app), count=1000)
        return {as_text(name): parse_record(line, 0).decided for name, line in found}


def _unknown(event: str, names: list[str], app: str) -> str:
    if not names:
        return f"there is no event {event!r}: no clock of the application {app!r} ran yet"
    near = nearest(event, names)
    hint = f", did you mean {near!r}?" if near else ";"
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    shown = ", ".join(names[:NAMES_SHOWN])
    return f"there is no event {event!r}{hint} the events are {shown}{more}"
