"""Jobs that wait under a rate limit of RQ 3; reading cleans nothing up."""

from __future__ import annotations

from typing import NamedTuple

from redis import Redis
from rq.job import Job

from clock.connection import rq_keys
from clock.ledger.unreadable import execute, reply_about, texts
from clock.observe.rq.fields import display_text

MOST = 10_000
"""Waiting jobs read of a limit, those that wait longest."""


class Limited(NamedTuple):
    """A waiting job, since when it waits (UTC seconds since 1970), and its queue.

    They sort in the order in which they will run.
    """

    since: float
    id: str
    queue: str


def read_limited(connection: Redis) -> list[Limited]:
    """The waiting jobs of all queues: RQ keeps them by limit.

    One round trip without limits, three with them. Raises what the client raises.
    """
    members = reply_about(rq_keys.RATE_LIMITS, connection.smembers)
    limits = sorted(texts(rq_keys.RATE_LIMITS, members))
    if not limits:
        return []
    with connection.pipeline(transaction=False) as pipeline:
        for limit in limits:
            pipeline.zrange(rq_keys.rate_limited(limit), 0, MOST - 1, withscores=True)
        replies = zip(limits, execute(pipeline), strict=True)
        waiting = [
            (job, since)
            for limit, entries in replies
            for member, since in entries or ()
            for job in texts(rq_keys.rate_limited(limit), [member])
        ]
        for job, _ in waiting:
            pipeline.hget(Job.key_for(job), "origin")
        queues = execute(pipeline)
    return sorted(
        Limited(since, job, display_text(queue) or "")
        for (job, since), queue in zip(waiting, queues, strict=True)
        if queue is not None
    )
