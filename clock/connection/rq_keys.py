"""RQ's keys, with the prefix of the installed RQ.

From RQ 3 on, the variable ``RQ_KEY_PREFIX`` sets the prefix. It may contain letters, digits and
``_.:-{}``, so it is removed from a key by its length, never by a pattern.
"""

from __future__ import annotations

from rq import Queue
from rq.job import Job
from rq.worker_registration import REDIS_WORKER_KEYS

JOB = Job.redis_job_namespace_prefix
"""Followed by a job id: the job's hash."""

PREFIX = JOB.removesuffix("job:")
"""The prefix of every key, with its colon."""

QUEUE = Queue.redis_queue_namespace_prefix
"""Followed by a queue's name: the list of its waiting jobs."""

QUEUES = Queue.redis_queues_keys
"""The set of the keys of all queues."""

WORKER = f"{PREFIX}worker:"
"""Followed by a worker's name: its hash."""

WORKERS = REDIS_WORKER_KEYS
"""The set of the keys of all workers."""

SUSPENDED = f"{PREFIX}suspended"
"""The key that exists while workers are suspended."""

PAUSED = f"{PREFIX}clock_paused"
"""Not RQ's but ours: the hash of the queues from which workers of this package take no jobs. It is
here because a queue belongs to its prefix, as two of the same name on one server may have two."""

RQ_SCHEDULER = ":".join(("rq", "scheduler", "scheduled_jobs"))
"""Not RQ's but rq-scheduler's, which follows no ``RQ_KEY_PREFIX``: a sorted set of the ids of its
jobs by when each is due, in UTC seconds."""

RATE_LIMITS = f"{PREFIX}rl-keys"
"""The set of all rate limits; from RQ 3 on."""


def registry(kind: str, queue: str) -> str:
    """A registry of ``queue``: the sorted set of the ids of its jobs that are ``scheduled``,
    ``deferred``, ``ready``, ``finished``, ``failed`` or ``canceled``; of ``wip``, of executions.
    """
    return f"{PREFIX}{kind}:{queue}"


def rate_limited(limit: str) -> str:
    """The sorted set of the jobs that wait for a slot of a rate limit; from RQ 3 on."""
    return f"{PREFIX}rl:{limit}:rate_limited"


def workers_of(queue: str) -> str:
    """The set of the keys of the workers that listen on ``queue``."""
    return f"{PREFIX}workers:{queue}"


def results(job: str) -> str:
    """The stream of the results of the job with this id: what each run returned or raised."""
    return f"{PREFIX}results:{job}"


def execution(entry: str) -> str:
    """The hash of an execution; ``entry`` is its ``JOB:EXECUTION`` in a registry."""
    return f"{PREFIX}execution:{entry}"


def executions(job: str) -> str:
    """The sorted set of the executions of the job with this id."""
    return f"{PREFIX}executions:{job}"


def executions_of_worker(name: str) -> str:
    """The set of the executions of a worker, as ``JOB:EXECUTION``; from RQ 3 on."""
    return f"{WORKER}{name}:executions"
