"""Jobs that wait for a place under a rate limit of RQ 3; nothing is cleaned up by asking."""

from __future__ import annotations

from typing import NamedTuple

from redis import Redis
from rq.job import Job
from rq.utils import as_text

from clock import rq_keys

MOST = 10_000
"""Waiting jobs of a limit that are read, those that wait longest."""


class Limited(NamedTuple):
    """A job that waits, since when (UTC seconds since 1970), and for which queue; ordered as they
    will have their turn.
    """

    since: float
    id: str
    queue: str


def read_limited(connection: Redis) -> list[Limited]:
    """The jobs that wait for a place, of all queues: RQ keeps them by their limits.

    One round trip where there is no limit, else three. Raises what the client raises.
    """
    limits = sorted(as_text(limit) for limit in connection.smembers(rq_keys.RATE_LIMITS))
    if not limits:
        return []
    with connection.pipeline(transaction=False) as pipeline:
        for limit in limits:
            pipeline.zrange(rq_keys.rate_limited(limit), 0, MOST - 1, withscores=True)
        waiting = [(as_text(job), since) for found in pipeline.execute() for job, since in found]
        for job, _ in waiting:
            pipeline.hget(Job.key_for(job), "origin")
        queues = pipeline.execute()
    return sorted(
        Limited(since, job, as_text(queue))
        for (job, since), queue in zip(waiting, queues, strict=True)
        if queue is not None
    )
