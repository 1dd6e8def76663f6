"""The jobs of runs by hand. A history has only their instants, and 0.1.0 reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from redis import Redis

from clock import keys
from clock.connection.errors import server_errors
from clock.ledger.unreadable import READ_ERRORS, execute, skip
from clock.ledger.values import second, text


def read_manual_runs(
    connection: Redis, app: str, events: Iterable[str]
) -> dict[str, Mapping[int, list[str]]]:
    """The ids of the jobs of the last runs by hand of each of ``events``, by the second of the run
    (UTC seconds since 1970), the latest first. One round trip. Raises ServerError.
    """
    names = list(events)
    if not names:
        return {}
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.lrange(keys.manual(app, name), 0, keys.MANUAL_KEPT - 1)
        replies = execute(pipeline)
    return {name: _read(app, name, reply) for name, reply in zip(names, replies, strict=True)}


def _read(app: str, event: str, lines: Iterable[bytes] | None) -> Mapping[int, list[str]]:
    jobs: dict[int, list[str]] = {}
    for line in lines or ():
        try:
            instant, _, job = text(line).partition(" ")
            jobs.setdefault(second(instant), []).append(job)
        except READ_ERRORS as error:
            skip(keys.manual(app, event), error, line)
    return jobs
