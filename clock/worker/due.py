"""Delayed jobs, and retries after an interval, that are due; and jobs that RQ 3 left ready."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from redis import Redis
from redis.exceptions import WatchError
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.scheduler import SCHEDULER_LOCKING_KEY_TEMPLATE
from rq.utils import as_text, utcformat

from clock.connection import rq_keys
from clock.connection.scripts import script

MOST = 100
"""Jobs of a queue that are moved in one step."""


def move_due(connection: Redis, queues: Sequence[Queue]) -> int:
    """Move to ``queues`` their delayed jobs that are due, but for the queues that a scheduler of
    RQ's looks after, and their jobs that are ready; returns how many there were. Raises what the
    client raises.
    """
    moved = 0
    while True:
        now = datetime.now(UTC)
        count, limited, ready = connection.register_script(script("clock.worker", "due.lua"))(
            keys=[
                rq_keys.QUEUES,
                *(
                    key
                    for queue in queues
                    for key in (
                        rq_keys.registry("scheduled", queue.name),
                        SCHEDULER_LOCKING_KEY_TEMPLATE % queue.name,
                        rq_keys.registry("ready", queue.name),
                        queue.key,
                    )
                ),
            ],
            args=[
                int(now.timestamp()),
                utcformat(now),
                MOST,
                Queue.DEFAULT_TIMEOUT,
                queues[0].job_class.redis_job_namespace_prefix,
            ],
        )
        for queue, job in _by_queue(limited, queues):
            moved += _move_limited(connection, queue, job)
        for queue, job in _by_queue(ready, queues):
            moved += len(queue.ready_job_registry.enqueue_jobs([job]))
        moved += int(count)
        if count < MOST:
            return moved


def _by_queue(pairs: Sequence[Any], queues: Sequence[Queue]) -> Iterator[tuple[Queue, str]]:
    for number, job in zip(pairs[::2], pairs[1::2], strict=True):
        yield queues[int(number) - 1], as_text(job)


def _move_limited(connection: Redis, queue: Queue, identifier: str) -> int:
    """Let RQ move a job with a rate limit, which goes to wait for a place under that."""
    registry = queue.scheduled_job_registry
    with connection.pipeline() as pipeline, suppress(WatchError, NoSuchJobError):
        pipeline.watch(registry.key)  # type: ignore[no-untyped-call]
        if connection.zscore(registry.key, identifier) is None:
            return 0
        job = queue.job_class.fetch(identifier, connection=connection, serializer=queue.serializer)
        pipeline.multi()
        registry.remove(job.id, pipeline=pipeline)
        queue._enqueue_rate_limited_job(
            job, pipeline=pipeline, at_front=job.should_enqueue_at_front()
        )
        pipeline.execute()
        return 1
    return 0
