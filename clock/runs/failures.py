"""A cap on the failed jobs of an event.

RQ keeps them for their ``failure_ttl``, a week by default: a few gigabytes of an event that fails
every second.
"""

from __future__ import annotations

from redis import Redis
from redis.client import Pipeline

from clock import keys
from clock.connection.scripts import script


def keep_failed(connection: Redis | Pipeline, app: str, event: str, job_id: str, kept: int) -> None:
    """Add ``job_id`` to the failed jobs of ``event``, and delete all but the latest ``kept``.

    One command, on a connection or as part of a pipeline. Not deleted are jobs that somebody
    requeued, that are kept for ever (``failure_ttl=-1``), or that others depend on.
    """
    connection.eval(
        script("clock.runs", "failures.lua"),
        1,
        keys.failed(app, event),
        job_id,
        str(kept),
        str(keys.RUNS_TTL),
    )
