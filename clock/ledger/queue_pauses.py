"""Pauses of queues: from which queues the workers of this package take no jobs, and why.

The step of a worker's child reads them (``clock/worker/step.lua``). RQ has no such thing: a worker
of RQ's goes on taking jobs from a paused queue, and so does one of 0.1.0.
"""

from __future__ import annotations

import json
from typing import Any

from redis import Redis

from clock import keys
from clock.connection.errors import server_errors
from clock.connection.rq_keys import PAUSED
from clock.errors import ConflictError
from clock.ledger.pauses import Pause
from clock.ledger.unreadable import READ_ERRORS, readable, reply_about, skip
from clock.ledger.values import second, text


def pause_queue(connection: Redis, queue: str, pause: Pause) -> Pause | None:
    """Pause ``queue`` until it is resumed; returns the pause that ``pause`` replaces, or None.

    The end of ``pause`` is ignored. Raises ConflictError where ``PAUSED_QUEUES`` are paused, and
    ServerError.
    """
    standing = read_queue_pauses(connection)
    if len(standing) >= keys.PAUSED_QUEUES and queue not in standing:
        raise ConflictError(f"{keys.PAUSED_QUEUES} queues are paused, and no more can be")
    fields = {"reason": pause.reason, "by": pause.by, "since": pause.since}
    with server_errors():
        connection.hset(PAUSED, queue, json.dumps(fields))
    return standing.get(queue)


def resume_queue(connection: Redis, queue: str) -> Pause | None:
    """End the pause of ``queue``; returns it, or None where there was none. Raises ServerError."""
    before = read_queue_pauses(connection).get(queue)
    with server_errors():
        connection.hdel(PAUSED, queue)
    return before


def read_queue_pauses(connection: Redis) -> dict[str, Pause]:
    """The pauses by queue. Raises ServerError."""
    return parse_queue_pauses(reply_about(PAUSED, connection.hgetall))


def parse_queue_pauses(pauses: Any) -> dict[str, Pause]:
    """The pauses in the hash of them, by queue."""
    return readable(PAUSED, pauses, _parse)


_UNREADABLE = Pause(until=None, reason="the entry cannot be read", by="unknown", since=0)


def _parse(queue: str, line: str) -> Pause:
    try:
        fields = json.loads(line)
        return Pause(
            until=None,
            reason=text(fields["reason"]),
            by=text(fields["by"]),
            since=second(fields["since"]),
        )
    except READ_ERRORS as error:
        # The workers only look whether there is a pause.
        skip(PAUSED, error, queue)
        return _UNREADABLE
