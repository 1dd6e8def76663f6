"""The workers of queues, as RQ knows them; nothing is cleaned up by asking."""

from __future__ import annotations

from collections.abc import Iterable

from redis import Redis
from rq.utils import as_text

from clock.ledger.script import server_errors


def broken_queues(connection: Redis, queues: Iterable[str]) -> set[str]:
    """Those of ``queues`` whose key holds something else, in one round trip. Raises LedgerError."""
    names = list(dict.fromkeys(queues))
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.type(f"rq:queue:{name}")
        types = map(as_text, pipeline.execute())
    return {name for name, kind in zip(names, types, strict=True) if kind not in {"list", "none"}}


def count_workers(connection: Redis, queues: Iterable[str]) -> dict[str, int]:
    """How many live workers listen on each of ``queues``, in two round trips.

    RQ keeps a set of workers for each queue, in which one that was killed stays; its own hash
    expires some minutes after its last heartbeat. Raises LedgerError.
    """
    names = list(dict.fromkeys(queues))
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.smembers(f"rq:workers:{name}")
        listed = [sorted(map(as_text, found)) for found in pipeline.execute()]
        workers = list(dict.fromkeys(worker for found in listed for worker in found))
        for worker in workers:
            pipeline.exists(worker)
        lives = dict(zip(workers, pipeline.execute(), strict=True))
    return {
        name: sum(1 for worker in found if lives[worker])
        for name, found in zip(names, listed, strict=True)
    }
