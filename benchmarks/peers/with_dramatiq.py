"""Dramatiq, without a result backend."""

from __future__ import annotations

import importlib
import os
from typing import Any

from redis import Redis

from benchmarks.peers import ADDRESS, COUNTED

dramatiq: Any = importlib.import_module("dramatiq")
broker: Any = importlib.import_module("dramatiq.brokers.redis").RedisBroker(url=os.environ[ADDRESS])
dramatiq.set_broker(broker)
connection = Redis.from_url(os.environ[ADDRESS])


@dramatiq.actor  # type: ignore[untyped-decorator]
def count() -> None:
    """The task."""
    connection.incr(COUNTED)


def enqueue(total: int) -> None:
    """Enqueue it that often."""
    for _ in range(total):
        count.send()
