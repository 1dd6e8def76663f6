"""What becomes of the errors of the Redis client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError

from clock.connection.diagnosis import diagnosed


@contextmanager
def server_errors() -> Iterator[None]:
    """Turn whatever the client raises while the block runs into ServerError."""
    # READONLY, OOM, LOADING, a wrong password and the like are RedisErrors but not
    # ConnectionErrors; a socket that breaks in an odd moment gives a bare OSError. To a clock all
    # mean: not now.
    try:
        yield
    except (RedisError, OSError) as error:
        raise diagnosed(error) from error
