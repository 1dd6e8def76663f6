"""Celery, without a result backend."""

from __future__ import annotations

import importlib
import os
from typing import Any

from redis import Redis

from benchmarks.peers import ADDRESS, COUNTED

app: Any = importlib.import_module("celery").Celery("peers", broker=os.environ[ADDRESS])
connection = Redis.from_url(os.environ[ADDRESS])


@app.task(name="count", ignore_result=True)  # type: ignore[untyped-decorator]
def count() -> None:
    """The task."""
    connection.incr(COUNTED)


def enqueue(total: int) -> None:
    """Enqueue it that often."""
    for _ in range(total):
        count.delay()
