"""Jobs that are queued and on no queue: a worker of RQ's with several queues died between taking
one and starting it, what enqueued it died half-way, or its queue's key was deleted.

RQ has no list of all jobs, so they are found by a slow walk over the keys of the server, which all
workers share.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from redis import Redis
from rq.utils import as_text

from clock import keys
from clock.connection import rq_keys
from clock.connection.scripts import script

AFTER = 60
"""Seconds for which a job must have been seen on no queue before it is put back: as long as RQ
waits for a job that it keeps beside its only queue."""

WALKED = 500
"""Keys that one look walks over, which takes a server a millisecond or two where all are of jobs
that wait."""

REMEMBERED = 500
"""Jobs that are watched at once."""

SEARCHED = 100_000
"""Entries of queues that one look searches through, but for its last search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LostJob:
    """A job that was on no queue. ``deaths`` is how often it was lost, or its worker died."""

    queue: str
    job: str
    deaths: int


def put_back_lost(
    connection: Redis, *, job_prefix: str, most_deaths: int, after: float = AFTER
) -> Iterator[LostJob]:
    """One look: walk on, and put back what was lost for ``after`` seconds. The jobs that were put
    back, and those with ``most_deaths``, which are left to the caller; the keys of jobs begin with
    ``job_prefix``. Raises what the client raises.
    """
    raw = connection.register_script(script("clock.worker", "lost.lua"))(
        keys=[keys.lost(), keys.lost_cursor(), rq_keys.QUEUES],
        args=[
            after,
            keys.LOST_TTL,
            job_prefix,
            WALKED,
            REMEMBERED,
            SEARCHED,
            secrets.randbelow(WALKED),
            most_deaths,
        ],
    )
    for queue, job, deaths in zip(raw[::3], raw[1::3], raw[2::3], strict=True):
        yield LostJob(queue=as_text(queue), job=as_text(job), deaths=int(deaths))
