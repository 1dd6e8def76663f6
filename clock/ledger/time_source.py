"""The time source of a clock: the server, or its host where the ACL denies TIME.

All clocks of an application must use one source, or an occurrence that is due for one is in the
future for another. Each records its source in the ledger again and again, with a TTL.
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
    """``server`` is the server's time in UTC seconds since 1970, None where the ACL denies TIME.

    ``other`` is the token of a live clock of the application with another source, or None.
    """

    server: float | None
    other: str | None


def read_time(connection: Redis, app: str, token: str, source: TimeSource) -> TimeReading:
    """Read the server's time, and record that the clock ``token`` uses ``source``.

    Another source that a clock recorded in the last ``keys.SOURCE_TTL`` seconds is not overwritten.
    Raises ServerError.
    """
    with server_errors():
        # With its source, which is short: a server that does not have it would need a second call.
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
    """The server's time in UTC seconds since 1970; ``otherwise`` where the ACL denies TIME.

    Raises ServerError.
    """
    with server_errors():
        try:
            seconds, microseconds = connection.time()
        except NoPermissionError:
            return otherwise
    return float(seconds) + microseconds / 1_000_000
