"""Queues: what waits there, for how long, who listens; nothing is cleaned up by asking."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import ResponseError
from rq.job import Job

from clock.ledger.script import server_errors
from clock.ledger.unreadable import execute, texts
from clock.observe.instants import read_instant

LOOKED_AT = 10
"""Ids at the head of a queue of which the first that still has a job gives the age: the job of an
id may have expired, or been taken back."""

_PREFIX = "rq:queue:"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """A queue. ``waiting`` are the jobs on it, and ``head`` is when the first of them came there
    (UTC seconds since 1970), None where none waits or it is not known.

    The other counts are those of RQ's registries of the queue: ``started`` run now, ``scheduled``
    wait for their time, ``deferred`` for another job. What has expired there is not counted.
    ``workers`` is how many living workers listen. ``is_broken`` says that its key holds something
    else than a queue.
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
    workers: int
    is_broken: bool

    def age(self, now: float) -> float | None:
        """Seconds for which the job at the head waits at ``now``."""
        return None if self.head is None else max(0.0, now - self.head)


def read_queues(connection: Redis, now: float, names: Iterable[str] = ()) -> list[QueueState]:
    """Every queue RQ knows of, and those of ``names``, by name; ``now`` is UTC seconds since 1970.

    Three round trips, however many queues there are. Raises LedgerError.
    """
    with server_errors():
        queues = sorted({*names, *queue_names(connection)})
        with connection.pipeline(transaction=False) as pipeline:
            for name in queues:
                _ask(pipeline, name, now)
            # A key of another type answers with an error, and the other queues are well.
            replies = pipeline.execute(raise_on_error=False)
        asked = [replies[at : at + _ASKED] for at in range(0, len(replies), _ASKED)]
        heads = [
            texts(_PREFIX + name, _ids(each[1])) for name, each in zip(queues, asked, strict=True)
        ]
        workers = sorted({worker for each in asked for worker in _workers(each[8])})
        with connection.pipeline(transaction=False) as pipeline:
            for identifier in (each for head in heads for each in head):
                pipeline.hget(Job.key_for(identifier), "enqueued_at")
            for worker in workers:
                pipeline.exists(worker)
            found = execute(pipeline)
    enqueued = iter(found[: len(found) - len(workers)])
    living = {
        worker
        for worker, lives in zip(workers, found[len(found) - len(workers) :], strict=True)
        if lives
    }
    return [
        _state(name, each, [next(enqueued) for _ in head], living)
        for name, each, head in zip(queues, asked, heads, strict=True)
    ]


def queue_names(connection: Redis) -> set[str]:
    """The names of the queues RQ knows of. Raises what the client raises."""
    with connection.pipeline(transaction=False) as pipeline:
        pipeline.smembers("rq:queues")
        (found,) = execute(pipeline)
    return {key.removeprefix(_PREFIX) for key in texts("rq:queues", found)}


_ASKED = 9


def _ask(pipeline: Pipeline, name: str, now: float) -> None:
    pipeline.llen(_PREFIX + name)
    pipeline.lrange(_PREFIX + name, 0, LOOKED_AT - 1)
    pipeline.zcard(f"rq:wip:{name}")
    pipeline.zcard(f"rq:scheduled:{name}")
    # Where a score is when an entry expires, RQ removes it the next time that somebody counts.
    for registry in ("deferred", "finished", "failed"):
        pipeline.zcount(f"rq:{registry}:{name}", now, "+inf")
    pipeline.zcard(f"rq:canceled:{name}")
    pipeline.smembers(f"rq:workers:{name}")


def _ids(reply: Any) -> list[Any]:
    return [] if isinstance(reply, ResponseError) else list(reply)


def _workers(reply: Any) -> list[str]:
    return texts("rq:workers", _ids(reply))


def _state(
    name: str, replies: Sequence[Any], enqueued: Sequence[bytes | None], living: set[str]
) -> QueueState:
    counts = [0 if isinstance(each, ResponseError) else each for each in replies]
    known = (read_instant(each) for each in enqueued)
    return QueueState(
        name=name,
        waiting=counts[0],
        head=next((each for each in known if each is not None), None),
        started=counts[2],
        scheduled=counts[3],
        deferred=counts[4],
        finished=counts[5],
        failed=counts[6],
        canceled=counts[7],
        workers=sum(1 for worker in _workers(replies[8]) if worker in living),
        is_broken=isinstance(replies[0], ResponseError),
    )
