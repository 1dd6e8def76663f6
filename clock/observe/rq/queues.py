"""Queues: their jobs, their age, their workers; reading cleans nothing up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import ResponseError
from rq.job import Job

from clock.connection import rq_keys
from clock.connection.errors import server_errors
from clock.ledger.pauses import Pause
from clock.ledger.queue_pauses import parse_queue_pauses
from clock.ledger.unreadable import execute, reply_about, texts
from clock.observe.rq.fields import display_text, read_timestamp
from clock.observe.rq.rate_limits import MOST
from clock.observe.rq.workers import alive_workers, ask_workers

LOOKED_AT = 10
"""Ids read at the head of a queue: the first that still has a job gives the age. The others' jobs
expired or were taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """A queue. ``waiting`` counts its jobs, and ``head`` is when the first of them was enqueued
    (UTC seconds since 1970), None where none waits or it is not known.

    The other counts are those of RQ's registries of the queue, without expired jobs: ``started``
    ones run, ``scheduled`` ones wait for their time, ``deferred`` ones for another job, ``ready``
    ones are about to be put on the queue. ``rate_limited`` ones wait until fewer jobs of their rate
    limit run. ``workers`` counts live workers. ``is_broken`` says that its key holds another type.
    From a ``paused`` one, workers of this package take no jobs.
    """

    name: str
    waiting: int
    head: float | None
    started: int
    scheduled: int
    deferred: int
    finished: int
    failed: int
    canceled: int
    ready: int
    rate_limited: int
    workers: int
    is_broken: bool
    paused: Pause | None

    def age(self, now: float) -> float | None:
        """Seconds for which the job at the head has waited at ``now``."""
        return None if self.head is None else max(0.0, now - self.head)


def read_queues(connection: Redis, now: float, names: Iterable[str] = ()) -> list[QueueState]:
    """All queues RQ knows, and those of ``names``, by name; ``now`` is UTC seconds since 1970.

    Three round trips, however many queues there are, and a fourth with workers of this package.
    Raises ServerError.
    """
    with server_errors():
        with connection.pipeline(transaction=False) as pipeline:
            pipeline.smembers(rq_keys.QUEUES)
            pipeline.smembers(rq_keys.RATE_LIMITS)
            pipeline.hgetall(rq_keys.PAUSED)
            known, members, paused = execute(pipeline)
        limits = texts(rq_keys.RATE_LIMITS, members)
        pauses = parse_queue_pauses(paused)
        queues = sorted({*names, *_names(known), *pauses})
        with connection.pipeline(transaction=False) as pipeline:
            for limit in limits:
                pipeline.zrange(rq_keys.rate_limited(limit), 0, MOST - 1)
            for name in queues:
                _ask(pipeline, name, now)
            # A key of another type replies with an error; the other queues are read all the same.
            replies = pipeline.execute(raise_on_error=False)
        # RQ keeps these by limit, not by queue.
        waiting = [
            job
            for limit, reply in zip(limits, replies, strict=False)
            for job in texts(rq_keys.rate_limited(limit), _ids(reply))
        ]
        del replies[: len(limits)]
        asked = [replies[at : at + _ASKED] for at in range(0, len(replies), _ASKED)]
        heads = [
            texts(rq_keys.QUEUE + name, _ids(replies[1]))
            for name, replies in zip(queues, asked, strict=True)
        ]
        listed = [_workers(name, replies[8]) for name, replies in zip(queues, asked, strict=True)]
        workers = sorted(set().union(*listed))
        with connection.pipeline(transaction=False) as pipeline:
            for job in waiting:
                pipeline.hget(Job.key_for(job), "origin")
            for identifier in chain.from_iterable(heads):
                pipeline.hget(Job.key_for(identifier), "enqueued_at")
            ask_workers(pipeline, workers)
            answers = execute(pipeline)
        limited = Counter(
            display_text(queue) or "" for queue in answers[: len(waiting)] if queue is not None
        )
        del answers[: len(waiting)]
        asked_ids = sum(map(len, heads))
        living = alive_workers(connection, workers, answers[asked_ids:])
    enqueued = iter(answers[:asked_ids])
    return [
        _state(
            name, replies, [next(enqueued) for _ in head], living, limited[name], pauses.get(name)
        )
        for name, replies, head in zip(queues, asked, heads, strict=True)
    ]


def queue_names(connection: Redis) -> set[str]:
    """The names of the queues RQ knows. Raises ServerError."""
    return _names(reply_about(rq_keys.QUEUES, connection.smembers))


def _names(keys: Iterable[bytes | str] | None) -> set[str]:
    return {key.removeprefix(rq_keys.QUEUE) for key in texts(rq_keys.QUEUES, keys)}


_ASKED = 10


def _ask(pipeline: Pipeline, name: str, now: float) -> None:
    pipeline.llen(rq_keys.QUEUE + name)
    pipeline.lrange(rq_keys.QUEUE + name, 0, LOOKED_AT - 1)
    pipeline.zcard(rq_keys.registry("wip", name))
    pipeline.zcard(rq_keys.registry("scheduled", name))
    # Their scores are expiries; RQ removes an expired entry at its next clean-up.
    for registry in ("deferred", "finished", "failed"):
        pipeline.zcount(rq_keys.registry(registry, name), now, "+inf")
    pipeline.zcard(rq_keys.registry("canceled", name))
    pipeline.smembers(rq_keys.workers_of(name))
    pipeline.zcard(rq_keys.registry("ready", name))


def _ids(reply: Any) -> list[Any]:
    return [] if isinstance(reply, ResponseError) else list(reply)


def _workers(queue: str, reply: Any) -> list[str]:
    return texts(rq_keys.workers_of(queue), _ids(reply))


def _state(
    name: str,
    replies: Sequence[Any],
    enqueued: Sequence[bytes | None],
    living: set[str],
    limited: int,
    paused: Pause | None,
) -> QueueState:
    counts = [0 if isinstance(reply, ResponseError) else reply for reply in replies]
    known = (read_timestamp(instant) for instant in enqueued)
    return QueueState(
        name=name,
        waiting=counts[0],
        head=next((instant for instant in known if instant is not None), None),
        started=counts[2],
        scheduled=counts[3],
        deferred=counts[4],
        finished=counts[5],
        failed=counts[6],
        canceled=counts[7],
        ready=counts[9],
        rate_limited=limited,
        workers=sum(1 for worker in _workers(name, replies[8]) if worker in living),
        is_broken=isinstance(replies[0], ResponseError),
        paused=paused,
    )
