"""Huey, without stored results."""

from __future__ import annotations

import importlib
import os
from typing import Any

from redis import Redis

from benchmarks.peers import ADDRESS, COUNTED

app: Any = importlib.import_module("huey").RedisHuey(
    "peers", url=os.environ[ADDRESS], results=False
)
connection = Redis.from_url(os.environ[ADDRESS])


@app.task()  # type: ignore[untyped-decorator]
def count() -> None:
    """The task."""
    connection.incr(COUNTED)


def enqueue(total: int) -> None:
    """Enqueue it that often."""
    for _ in range(total):
        count()
