"""What differs between the supported releases of RQ, from 2.9 on."""

from __future__ import annotations

from typing import Any

from redis import Redis

try:
    from rq.rate_limit import RateLimitRegistry
except ImportError:  # RQ 2 has no rate limits
    RateLimitRegistry: Any = None  # type: ignore[no-redef]


def fill_rate_limit(connection: Redis, limit: str) -> None:
    """Put the jobs that wait for a place under the rate ``limit`` on their queues, as many as there
    are places. Raises what the client raises.
    """
    if RateLimitRegistry is not None:
        registry = RateLimitRegistry(limit, connection)
        registry.acquire_and_enqueue(registry.concurrency)


def leave_rate_limit(connection: Redis, limit: str, job: str) -> None:
    """Give the place that the deleted ``job`` had under the rate ``limit``, if any, to the next.
    Raises what the client raises.
    """
    if RateLimitRegistry is not None:
        RateLimitRegistry(limit, connection).cancel(job)
