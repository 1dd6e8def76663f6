"""Jobs that ``clock.jobs`` has enqueued, and that are not counted with the others yet.

An application enqueues one at a time, and must not pay for four counters with each: it increments
one number, which a worker adds to the counters every few seconds.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

from clock import keys
from clock.connection.errors import server_errors
from clock.ledger.trends import HOUR, MINUTE, TrendCounts
from clock.ledger.unreadable import MAX_NAME, READ_ERRORS
from clock.ledger.values import text, whole

TTL = 86_400_000
"""Milliseconds for which they wait: as long as the minutes are kept."""


def new_job_words(app: str, queue: str, at: float) -> tuple[str, str, int]:
    """Where a job that is enqueued on ``queue`` at the instant ``at`` (UTC seconds since 1970) is
    counted: the key of a hash, its field, and the TTL in milliseconds to set with a new field.
    """
    return _key(app, int(at) // HOUR), f"{int(at) % HOUR // MINUTE} {queue}", TTL


def count_new_jobs(connection: Redis, app: str, now: float) -> None:
    """Add what was enqueued up to ``now`` (UTC seconds since 1970) to the counters: one round trip,
    two where there was something. Nothing is done for a user without the right. Raises ServerError.
    """
    hours = [int(now) // HOUR - 1, int(now) // HOUR]
    names = [_key(app, hour) for hour in hours]
    counts = TrendCounts(app)
    with server_errors(), connection.pipeline(transaction=True) as pipeline:
        for key in names:
            pipeline.hgetall(key)
        pipeline.delete(*names)
        try:
            replies = pipeline.execute()
        except ResponseError:
            # Also where one of them is not a hash.
            return
        for hour, fields in zip(hours, replies[:-1], strict=True):
            _add(counts, hour * HOUR, fields)
        while counts:
            counts.take().write(connection)


@lru_cache(maxsize=16)
def _key(app: str, hour: int) -> str:
    return keys.trends(app, f"new:{datetime.fromtimestamp(hour * HOUR, UTC):%Y-%m-%dT%H}")


def _add(counts: TrendCounts, begin: int, fields: dict[Any, Any]) -> None:
    for field, number in fields.items():
        try:
            minute, _, queue = text(field, MAX_NAME).partition(" ")
            at = begin + whole(minute, 0) % 60 * MINUTE
            counts.add(queue, None, at, enqueued=min(whole(number, 0), 2**32))
        except READ_ERRORS:
            # They are deleted, and were never right.
            continue
