"""Stopping a job that runs."""

from __future__ import annotations

from redis import Redis
from rq.command import send_command
from rq.job import Job, JobStatus
from rq.utils import as_text

from clock.connection.errors import server_errors
from clock.errors import ServerError


def stop(connection: Redis, job: str, error: type[ServerError] = ServerError) -> bool:
    """Ask the worker that runs the job with this id to stop it, and return whether there is one.
    The worker does it a moment later. A stopped job has failed, whatever retries are left.

    Raises ``error`` where the server does not answer.
    """
    with server_errors(connection, error):
        status, worker = connection.hmget(Job.key_for(job), "status", "worker_name")
        if not worker or as_text(status or "") != JobStatus.STARTED:
            return False
        send_command(connection, as_text(worker), "stop-job", job_id=job)
    return True
