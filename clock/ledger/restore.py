"""Moving records forward after a server was restored from an old copy."""

from __future__ import annotations

from typing import NamedTuple, cast

from redis import Redis

from clock import keys
from clock.connection.errors import server_errors
from clock.connection.scripts import script

AT_ONCE = 500
"""Records that are moved in one call."""


class Restored(NamedTuple):
    """How many records were moved, of how many."""

    moved: int
    records: int


def restore(connection: Redis, app: str, instant: int) -> Restored:
    """Move the records of ``app`` to ``instant`` (UTC seconds since 1970): nothing up to it fires.

    Records that stand later stay as they are, so this may be repeated. Raises ServerError.
    """
    with server_errors():
        names = cast("list[bytes]", connection.hkeys(keys.decided(app)))
        move = connection.register_script(script("clock.ledger", "restore.lua"))
        moved = sum(
            int(move(keys=[keys.decided(app)], args=[instant, *names[start : start + AT_ONCE]]))
            for start in range(0, len(names), AT_ONCE)
        )
    return Restored(moved, len(names))
