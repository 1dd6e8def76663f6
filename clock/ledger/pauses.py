"""Pauses: which events do not fire, until when, and why.

They are kept in the ledger and read by the claim, so they survive restarts and deploys.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis import Redis
from redis.client import Pipeline

from clock import keys
from clock.connection.errors import server_errors
from clock.ledger.records import find_record
from clock.ledger.unreadable import READ_ERRORS, execute, readable, reply_about, skip, texts
from clock.ledger.values import second, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A pause: its end, its reason, who began it and when.

    Instants are UTC seconds since 1970; ``until`` is None for a pause without an end.
    """

    until: int | None
    reason: str
    by: str
    since: int


def pause_end(now: float, end: float | datetime) -> int:
    """The ``end`` of a pause, an aware datetime or UTC seconds, as UTC seconds since 1970.

    Raises ValueError, with one sentence, where it is naive or not later than ``now``.
    """
    if isinstance(end, datetime):
        if end.tzinfo is None:
            raise ValueError("it needs an offset, as in 2026-11-21T18:00Z or …T18:00+09:00")
        try:
            end = end.astimezone(UTC).timestamp()
        except OverflowError:
            raise ValueError("it is later than the year 9999") from None
    if end <= now:
        raise ValueError("that time is past")
    return int(end)


def pause(connection: Redis, app: str, event: str, pause: Pause) -> Pause | None:
    """Pause ``event``: no occurrence that is scheduled before the end of the pause fires. Returns
    the pause that it replaces, or None.

    Raises UnknownEventError, and ServerError where the server is away or refuses.
    """
    find_record(connection, app, event)
    before = read_pauses(connection, app).get(event)
    with server_errors(), connection.pipeline() as pipeline:
        if before is not None:
            _note_end(pipeline, app, event, before, pause.since)
        until = "-" if pause.until is None else str(pause.until)
        pipeline.hset(keys.pauses(app), event, f"{until} {json.dumps(_encode(pause))}")
        pipeline.expire(keys.pauses(app), keys.TTL)
        pipeline.execute()
    return before


def resume(connection: Redis, app: str, event: str, now: float | None = None) -> Pause | None:
    """End the pause of ``event``; returns it, or None where there was none. Raises as ``pause``.

    ``now`` is UTC seconds since 1970; without it the server's clock says when the pause ended.
    """
    find_record(connection, app, event)
    before = read_pauses(connection, app).get(event)
    with server_errors(), connection.pipeline() as pipeline:
        if before is not None:
            ended = int(connection.time()[0] if now is None else now)
            _note_end(pipeline, app, event, before, ended)
        # A pause that cannot be read holds its event too.
        pipeline.hdel(keys.pauses(app), event)
        pipeline.execute()
    return before


def write_back(connection: Redis, app: str, pauses: Mapping[bytes, bytes], now: float) -> list[str]:
    """Restore the ``pauses`` that a server lost; returns the events whose pause was written.

    Not written is a pause that was over at ``now`` (UTC seconds since 1970), one that somebody
    ended since, or one over another. Raises ServerError.
    """
    key, ended_key = keys.pauses(app), keys.ended_pauses(app)
    lost = parse_pauses(app, pauses)
    written: list[str] = []

    def write(pipeline: Pipeline) -> None:
        # Whoever ends a pause adds it to the ended ones.
        ended = set(map(_identity, pipeline.lrange(ended_key, 0, -1)))
        standing = set(texts(key, pipeline.hkeys(key)))
        written[:] = [
            event
            for event, pause in lost.items()
            if event not in standing
            and (event, pause.since) not in ended
            and (pause.until is None or pause.until > now)
        ]
        pipeline.multi()
        if written:
            pipeline.hset(key, mapping={event: pauses[event.encode()] for event in written})
            pipeline.expire(key, keys.TTL)

    with server_errors():
        connection.transaction(write, key, ended_key)
    return written


def read_pauses_of(connection: Redis, app: str, event: str) -> list[Pause]:
    """The known pauses of ``event``, each with its real end. Raises ServerError."""
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        pipeline.hget(keys.pauses(app), event)
        pipeline.lrange(keys.ended_pauses(app), 0, -1)
        standing, ended = execute(pipeline)
    known = [] if standing is None else [*parse_pauses(app, {event: standing}).values()]
    for line in ended or ():
        try:
            fields = json.loads(text(line))
            if fields["event"] == event:
                known.append(_pause(fields, second(fields["until"])))
        except READ_ERRORS as error:
            skip(keys.ended_pauses(app), error, line)
    return known


def pause_among(pauses: Iterable[Pause], instant: int) -> Pause | None:
    """The pause in effect at ``instant`` (UTC seconds since 1970), or None."""
    over = (pause for pause in pauses if pause.until is None or pause.until > instant)
    # A clock that comes late meets a pause that began after the occurrence.
    return min(
        over, key=lambda pause: (pause.since > instant, abs(pause.since - instant)), default=None
    )


def _identity(line: bytes | str) -> tuple[str, int] | None:
    """The event and the beginning of an ended pause; None where it cannot be read."""
    with suppress(*READ_ERRORS):
        fields = json.loads(line)
        return text(fields["event"]), second(fields["since"])
    return None


def _note_end(pipeline: Pipeline, app: str, event: str, pause: Pause, ended: int) -> None:
    until = ended if pause.until is None else min(pause.until, ended)
    line = json.dumps({"event": event, "until": until, **_encode(pause)})
    pipeline.lpush(keys.ended_pauses(app), line)
    pipeline.ltrim(keys.ended_pauses(app), 0, keys.ENDED_PAUSES - 1)
    pipeline.expire(keys.ended_pauses(app), keys.TTL)


def _encode(pause: Pause) -> dict[str, Any]:
    return {"reason": pause.reason, "by": pause.by, "since": pause.since}


def read_pauses(connection: Redis, app: str) -> dict[str, Pause]:
    """Every pause by its event, ended ones included. Raises ServerError."""
    return parse_pauses(app, reply_about(keys.pauses(app), connection.hgetall))


def parse_pauses(app: str, pauses: Mapping[Any, Any] | None) -> dict[str, Pause]:
    """The pauses in the ledger's hash of them, by event."""
    return readable(keys.pauses(app), pauses, _parse)


def _parse(_event: str, line: str) -> Pause:
    until, _, body = line.partition(" ")
    return _pause(json.loads(body), None if until == "-" else second(until))


def _pause(fields: Mapping[str, Any], until: int | None) -> Pause:
    return Pause(
        until=until,
        reason=text(fields["reason"]),
        by=text(fields["by"]),
        since=second(fields["since"]),
    )
