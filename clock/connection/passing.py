"""Objects with clients in them, as bytes for another process: what pickle cannot do by itself."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any

from redis import ConnectionPool, Redis

from clock.connection.client import pool_arguments


def to_bytes(value: object) -> bytes:
    """``value`` for ``pickle.load`` in another process, where the clients in it are new ones of the
    same server. Raises PicklingError, TypeError or AttributeError for what cannot be passed.
    """
    file = io.BytesIO()
    _Pickler(file).dump(value)
    return file.getvalue()


class _Pickler(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, Redis):
            return _client, (type(obj), obj.connection_pool)
        if isinstance(obj, ConnectionPool):
            return _pool, pool_arguments(obj)
        return NotImplemented


def _client(kind: type[Redis], pool: ConnectionPool) -> Redis:
    return kind(connection_pool=pool)


def _pool(kind: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    return kind(**arguments)
