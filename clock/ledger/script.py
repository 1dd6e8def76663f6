"""Scripts of the ledger, and what becomes of the client's errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError

from clock.connection import scripts
from clock.connection.diagnosis import diagnosed


def script(name: str) -> str:
    """The text of a script of this folder."""
    return scripts.script("clock.ledger", name)


@contextmanager
def server_errors() -> Iterator[None]:
    """Turn whatever the client raises while the block runs into LedgerError."""
    # READONLY, OOM, LOADING, a wrong password and the like are RedisErrors but not
    # ConnectionErrors; a socket that breaks in an odd moment gives a bare OSError. To a clock all
    # mean: not now.
    try:
        yield
    except (RedisError, OSError) as error:
        raise diagnosed(error) from error
