"""Whose time decides: the server's, or this host's where the server may not be asked for it.

All clocks of an application take it from the same source, or an occurrence that is due for one is
in the future for another. Each leaves its source in the ledger, for as long as it says so.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

from redis import Redis
from redis.exceptions import NoPermissionError
from rq.utils import as_text

from clock import keys
from clock.connection.errors import server_errors
from clock.connection.scripts import script


class TimeSource(StrEnum):
    """Where a clock takes the time from."""

    SERVER = "server"
    HOST = "host"


class TimeReading(NamedTuple):
    """``server`` is the server's time in UTC seconds since 1970, None where it may not be asked.

    ``other`` is the token of a living clock of the application with another source, or None.
    """

    server: float | None
    other: str | None


def read_time(connection: Redis, app: str, token: str, source: TimeSource) -> TimeReading:
    """Read the server's time, and leave word that ``token`` takes it from ``source``.

    Where another clock said otherwise within ``keys.SOURCE_TTL`` seconds its word stays.
    Raises ServerError.
    """
    with server_errors():
        # With its text, which is short: a server that has not seen it need not be asked twice.
        reply: Any = connection.eval(
            script("clock.ledger", "time_source.lua"),
            1,
            keys.time_source(app),
            source,
            token,
            str(keys.SOURCE_TTL),
        )
    now, other = reply
    return TimeReading(float(now) if now else None, as_text(other) or None)


def server_now(connection: Redis, otherwise: float) -> float:
    """The server's time in UTC seconds since 1970; ``otherwise`` where it may not be asked for.

    Raises ServerError.
    """
    with server_errors():
        try:
            seconds, microseconds = connection.time()
        except NoPermissionError:
            return otherwise
    return float(seconds) + microseconds / 1_000_000
