"""The failed jobs of an event: a week of them may be more than a server holds, so they are capped.

RQ keeps each for its ``failure_ttl``, a week unless the schedule says otherwise. Of an event that
fails every second that would be a few gigabytes.
"""

from __future__ import annotations

from redis import Redis
from redis.client import Pipeline

from clock import keys
from clock.connection.scripts import script


def keep_failed(connection: Redis | Pipeline, app: str, event: str, job_id: str, kept: int) -> None:
    """Count ``job_id`` among the failed jobs of ``event``; of these the latest ``kept`` stay.

    One command, on a connection or as part of a pipeline. A job that somebody put back, that is to
    be kept for ever (``failure_ttl=-1``), or that others depend on stays all the same.
    """
    connection.eval(
        script("clock.runs", "failures.lua"),
        1,
        keys.failed(app, event),
        job_id,
        str(kept),
        str(keys.RUNS_TTL),
    )
