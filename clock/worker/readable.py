"""A job that can be ended, whatever its hash holds: any program may have written it."""

from __future__ import annotations

import zlib
from typing import Any

from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus

from clock.connection.errors import CLIENT_ERRORS


def fetch_job(identifier: str, queue: Queue) -> Job:
    """The job with this id, which ``queue`` had. One whose hash cannot be read is taken for a
    started job without retries. Raises NoSuchJobError, and what the client raises.
    """
    try:
        job: Job = queue.job_class.fetch(
            identifier, connection=queue.connection, serializer=queue.serializer
        )
    except (NoSuchJobError, *CLIENT_ERRORS):
        raise
    except Exception:  # whatever RQ raises at what it finds
        key = queue.job_class.key_for(identifier)
        data: Any = queue.connection.hget(key, "data")
        job = unreadable_job(identifier, queue, data)
        job._status = JobStatus.STARTED
    return job


def unreadable_job(identifier: str, queue: Queue, data: bytes | None) -> Job:
    """A job of which only this is known; ``data`` is as its hash has it, for whoever repairs it."""
    job: Job = queue.job_class(identifier, connection=queue.connection, serializer=queue.serializer)
    job.origin = queue.name
    try:
        job.data = zlib.decompress(data or b"")
    except zlib.error:
        job.data = data or b""
    return job
