"""The jobs that clocks put on the queues, read from RQ's own keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from redis import Redis
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
    queues = sorted(name.decode() for name in redis.smembers("rq:queues"))
    found = [
        _fired(queue.removeprefix("rq:queue:"), identifier.decode(), redis)
        for queue in queues
        for identifier in redis.lrange(queue, 0, -1)
    ]
    return [each for each in found if event in (None, each.event)]


def scheduled(redis: Redis, event: str) -> list[int]:
    """The scheduled instants of the jobs of ``event``, in the order of their queue."""
    return [each.scheduled for each in fired(redis, event)]


def job_hashes(redis: Redis) -> set[str]:
    """The ids of the jobs that have a hash, whether on a queue or not."""
    return {key.decode().removeprefix("rq:job:") for key in redis.scan_iter("rq:job:*")}


def _fired(queue: str, identifier: str, redis: Redis) -> Fired:
    occurrence = Job.fetch(identifier, connection=redis).get_meta(refresh=False)["clock"]
    previous = occurrence["previous_scheduled_at"]
    at = datetime.fromisoformat(occurrence["scheduled_at"])
    assert identifier.endswith(f"-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"), identifier
    return Fired(
        event=occurrence["event"],
        scheduled=round(at.timestamp()),
        previous=None if previous is None else round(datetime.fromisoformat(previous).timestamp()),
        enqueued=datetime.fromisoformat(occurrence["enqueued_at"]).timestamp(),
        job_id=identifier,
        queue=queue,
    )
