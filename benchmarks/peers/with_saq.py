"""SAQ, which keeps results for ten minutes."""

from __future__ import annotations

import asyncio
import importlib
import os
from typing import Any

from redis.asyncio import Redis

from benchmarks.peers import ADDRESS, COUNTED

queue: Any = importlib.import_module("saq").Queue.from_url(os.environ[ADDRESS])
connection = Redis.from_url(os.environ[ADDRESS])


async def count(_context: Any) -> None:
    """The task."""
    await connection.incr(COUNTED)


settings = {"queue": queue, "functions": [count], "concurrency": 1}


def enqueue(total: int) -> None:
    """Enqueue it that often."""
    asyncio.run(_enqueue(total))


async def _enqueue(total: int) -> None:
    for _ in range(total):
        await queue.enqueue("count")
