"""Scripts of the ledger, and what becomes of the client's errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import NoPermissionError, RedisError, ResponseError

from clock import lua
from clock.errors import LedgerError

_DENIED_IN_SCRIPT = ("ACL failure in script", "The user executing the script can't")
"""How servers begin what they say of a command in a script that the user may not call: those from
Redis 7 on, and Redis 6. It has no code of its own."""


def script(name: str) -> str:
    """The text of a script of this folder."""
    return lua.script("clock.ledger", name)


@contextmanager
def server_errors() -> Iterator[None]:
    """Turn whatever the client raises while the block runs into LedgerError."""
    # READONLY, OOM, LOADING, a wrong password and the like are RedisErrors but not
    # ConnectionErrors; a socket that breaks in an odd moment gives a bare OSError. To a clock all
    # mean: not now.
    try:
        yield
    except (RedisError, OSError) as error:
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise LedgerError(said, _kind(error)) from error


def _kind(error: Exception) -> str:
    if str(error).startswith(_DENIED_IN_SCRIPT):
        return NoPermissionError.__name__
    # The client has no class of its own for every code a server knows: BUSY, MISCONF, ...
    name, code = type(error).__name__, str(error).partition(" ")[0]
    return f"{name} {code}" if type(error) is ResponseError and code.isupper() else name
