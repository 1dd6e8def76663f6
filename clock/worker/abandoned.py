"""Which jobs have a worker that died."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from redis import Redis
from rq import Queue
from rq.registry import StartedJobRegistry
from rq.utils import as_text, parse_composite_key

from clock import keys
from clock.connection import rq_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Abandoned:
    """An execution whose worker is gone. ``owner`` is that worker's identity where it was one of
    ours.
    """

    queue: str
    entry: str
    job: str
    execution: str
    owner: str | None

    @property
    def worker(self) -> str | None:
        """The name of the worker that is gone, where it was one of ours."""
        return None if self.owner is None else self.owner.rpartition(".")[0]

    @property
    def registry_key(self) -> str:
        """The queue's registry of started jobs, which holds ``entry``."""
        return StartedJobRegistry.key_template.format(self.queue)

    @property
    def execution_key(self) -> str:
        """What RQ knows of the execution."""
        return rq_keys.execution(self.entry)

    @property
    def executions_key(self) -> str:
        """RQ's set of the executions of the job."""
        return rq_keys.executions(self.job)

    @property
    def watched(self) -> list[str]:
        """What changes, with the job, when somebody else deals with it, or its worker comes
        back.
        """
        owner = [] if self.owner is None else [keys.heartbeat(self.owner)]
        return [self.execution_key, *owner]


def find_abandoned(connection: Redis, queues: Iterable[str], now: float) -> list[Abandoned]:
    """The abandoned executions on ``queues`` and on all that RQ knows.

    An execution is abandoned where its worker, one of ours, sends no heartbeats, and where RQ's
    own heartbeats ended, up to 90 seconds after a death: all that there is of a plain worker.
    ``now`` is UTC seconds since 1970.
    """
    known = {as_text(key) for key in connection.smembers(Queue.redis_queues_keys)}
    names = sorted(
        {key.removeprefix(Queue.redis_queue_namespace_prefix) for key in known} | {*queues}
    )
    started = _started(connection, names)
    owners = _owners(connection, started)
    alive = _alive(connection, owners)
    abandoned = []
    for (name, entry, score), owner in zip(started, owners, strict=True):
        is_gone = score < now if owner is None else owner not in alive
        if is_gone:
            job, execution = parse_composite_key(entry)
            abandoned.append(
                Abandoned(queue=name, entry=entry, job=job, execution=execution, owner=owner)
            )
    return abandoned


def is_still_abandoned(connection: Redis, abandoned: Abandoned, now: float) -> bool:
    """Whether nobody has ended or taken the execution, and its worker has not come back.

    To be asked once the keys ``watched`` of it are watched.
    """
    score = connection.zscore(abandoned.registry_key, abandoned.entry)
    if score is None:
        return False
    if abandoned.owner is None:
        return score < now
    return not connection.exists(keys.heartbeat(abandoned.owner))


def _started(connection: Redis, names: Sequence[str]) -> list[tuple[str, str, float]]:
    """Queue, entry (``job:execution``) and end of RQ's patience for each execution."""
    with connection.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.zrange(StartedJobRegistry.key_template.format(name), 0, -1, withscores=True)
        registries = zip(names, pipeline.execute(), strict=True)
        started = [
            (name, as_text(entry), score)
            for name, entries in registries
            for entry, score in entries
        ]
    return [execution for execution in started if ":" in execution[1]]


def _owners(connection: Redis, started: Sequence[tuple[str, str, float]]) -> list[str | None]:
    with connection.pipeline(transaction=False) as pipeline:
        for _, entry, _ in started:
            pipeline.hget(rq_keys.execution(entry), keys.OWNER)
        return [None if owner is None else as_text(owner) for owner in pipeline.execute()]


def _alive(connection: Redis, owners: Iterable[str | None]) -> set[str]:
    ours = sorted({owner for owner in owners if owner is not None})
    with connection.pipeline(transaction=False) as pipeline:
        for owner in ours:
            pipeline.exists(keys.heartbeat(owner))
        return {owner for owner, exists in zip(ours, pipeline.execute(), strict=True) if exists}
