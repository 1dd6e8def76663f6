"""Moving records forward, after a server was restored from a copy that is older than its events."""

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
    """Let nothing of ``app`` that is scheduled up to ``instant`` (UTC seconds since 1970) fire.

    A record that stands later already stays as it is, so this may be done again. Raises
    ServerError.
    """
    with server_errors():
        names = cast("list[bytes]", connection.hkeys(keys.decided(app)))
        move = connection.register_script(script("clock.ledger", "restore.lua"))
        moved = sum(
            int(move(keys=[keys.decided(app)], args=[instant, *names[start : start + AT_ONCE]]))
            for start in range(0, len(names), AT_ONCE)
        )
    return Restored(moved, len(names))
