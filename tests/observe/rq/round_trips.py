"""How often a reading waits for the server."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis
from redis.client import Pipeline


def count_round_trips(redis: Redis, ask: Any) -> int:
    """Replies that were waited for: a pipeline is one."""
    count = 0
    single, many = Redis.execute_command, Pipeline.execute

    def one(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal count
        count += not isinstance(self, Pipeline)
        return single(self, *args, **kwargs)  # type: ignore[no-untyped-call]

    def batch(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal count
        count += 1
        return many(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Redis, "execute_command", one)
        patch.setattr(Pipeline, "execute", batch)
        ask()
    return count
