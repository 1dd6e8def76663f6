"""Lowering records in the future, written while the server's or a host's clock was ahead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from redis import Redis
from rq.utils import as_text

from clock import keys
from clock.connection.errors import server_errors
from clock.connection.scripts import script

WAITED_OUT = 300
"""Seconds a record may be in the future without being lowered: its event waits for the time."""


class Lowered(NamedTuple):
    """Where the record of an event stands, in UTC seconds since 1970; None where there is none.

    ``is_lowered`` says that it was lowered to the present just now.
    """

    decided: int | None
    is_lowered: bool


def lower(
    connection: Redis,
    app: str,
    events: Sequence[str],
    now: float | None = None,
    *,
    waited_out: float = WAITED_OUT,
    anyhow: bool = False,
) -> list[Lowered]:
    """Lower the records of ``events`` that are more than ``waited_out`` seconds in the future.

    A record is lowered to ``now`` (UTC seconds since 1970; without it the server's time) where its
    history lists all that fired beyond; that stays recorded as fired and never fires again. With
    ``anyhow`` others are lowered too: what fired beyond and is not listed fires once more. Raises
    ServerError.
    """
    with server_errors():
        replies = connection.register_script(script("clock.ledger", "lower.lua"))(
            keys=[keys.decided(app), keys.ahead(app)],
            args=[
                *(keys.TTL, "" if now is None else now, waited_out, "all" if anyhow else ""),
                *events,
            ],
        )
    return [
        Lowered(int(reply.removeprefix("-")) if reply else None, reply.startswith("-"))
        for reply in map(as_text, replies)
    ]


def is_ahead(decided: int, now: float) -> bool:
    """Whether a record that stands at ``decided`` is too far in the future to wait for."""
    return decided > now + WAITED_OUT
