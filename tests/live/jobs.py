"""The jobs that clocks put on the queues, read from RQ's own keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from redis import Redis
from rq import Queue
from rq.job import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """One job: the occurrence it stands for, and when it was enqueued. Instants are UTC seconds
    since 1970.
    """

    event: str
    scheduled: int
    previous: int | None
    enqueued: float
    job_id: str
    queue: str


def fired(redis: Redis, event: str | None = None) -> list[Fired]:
    """The jobs of ``event``, or of all events, on all queues, in the order of each queue.

    What is on a queue twice is here twice. Asks that every job say the same in its id and its meta.
    """
    jobs = [
        _fired(queue, identifier, redis)
        for queue in Queue.all(connection=redis)
        for identifier in queue.get_job_ids()
    ]
    return [job for job in jobs if event in (None, job.event)]


def scheduled(redis: Redis, event: str) -> list[int]:
    """The scheduled instants of the jobs of ``event``, in the order of their queue."""
    return [job.scheduled for job in fired(redis, event)]


def job_hashes(redis: Redis) -> set[str]:
    """The ids of the jobs that have a hash, whether on a queue or not."""
    return {key.decode().removeprefix("rq:job:") for key in redis.scan_iter("rq:job:*")}


def _fired(queue: Queue, identifier: str, redis: Redis) -> Fired:
    occurrence = Job.fetch(identifier, connection=redis).meta["clock"]
    previous = occurrence["previous_scheduled_at"]
    at = datetime.fromisoformat(occurrence["scheduled_at"])
    assert identifier.endswith(f"-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"), identifier
    return Fired(
        event=occurrence["event"],
        scheduled=round(at.timestamp()),
        previous=None if previous is None else round(datetime.fromisoformat(previous).timestamp()),
        enqueued=datetime.fromisoformat(occurrence["enqueued_at"]).timestamp(),
        job_id=identifier,
        queue=queue.name,
    )
