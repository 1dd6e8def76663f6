"""The names of RQ's keys, under the prefix of the installed RQ.

From RQ 3 on the variable ``RQ_KEY_PREFIX`` sets that prefix. It may hold letters, digits and
``_.:-{}``: what follows it is cut off by its length, never by a pattern.
"""

from __future__ import annotations

from rq import Queue
from rq.job import Job
from rq.worker_registration import REDIS_WORKER_KEYS

JOB = Job.redis_job_namespace_prefix
"""With the id of a job behind it: the job's hash."""

PREFIX = JOB.removesuffix("job:")
"""What every key of RQ begins with, its colon included."""

QUEUE = Queue.redis_queue_namespace_prefix
"""With the name of a queue behind it: its list of waiting jobs."""

QUEUES = Queue.redis_queues_keys
"""The set of the keys of all queues."""

WORKER = f"{PREFIX}worker:"
"""With the name of a worker behind it: its hash."""

WORKERS = REDIS_WORKER_KEYS
"""The set of the keys of all workers."""

RATE_LIMITS = f"{PREFIX}rl-keys"
"""The set of all rate limits; from RQ 3 on."""


def registry(kind: str, queue: str) -> str:
    """The sorted set of the jobs of ``queue`` that are, in RQ's words, ``wip`` (or rather their
    executions), ``scheduled``, ``deferred``, ``ready``, ``finished``, ``failed`` or ``canceled``.
    """
    return f"{PREFIX}{kind}:{queue}"


def rate_limited(limit: str) -> str:
    """The sorted set of the jobs that wait for a place under a rate limit; from RQ 3 on."""
    return f"{PREFIX}rl:{limit}:rate_limited"


def workers_of(queue: str) -> str:
    """The set of the keys of the workers that listen on ``queue``."""
    return f"{PREFIX}workers:{queue}"


def results(job: str) -> str:
    """The stream of what the runs of the job with this id returned or raised."""
    return f"{PREFIX}results:{job}"


def execution(entry: str) -> str:
    """The hash of an execution, which RQ calls ``JOB:EXECUTION`` in its registries."""
    return f"{PREFIX}execution:{entry}"


def executions(job: str) -> str:
    """The sorted set of the executions of the job with this id."""
    return f"{PREFIX}executions:{job}"


def executions_of_worker(name: str) -> str:
    """The set of the executions of a worker, ``JOB:EXECUTION`` each; from RQ 3 on."""
    return f"{WORKER}{name}:executions"
