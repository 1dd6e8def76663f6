"""The audit log: who did what, on what, from where, and how it ended.

An action comes first, then its line in the log of the process, then its entry here. An entry that
cannot be written does not undo the action, and the log says so; a process that is killed in
between leaves an action without an entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from redis import Redis
from rq.utils import as_text

from clock import keys, log
from clock.connection.errors import server_errors
from clock.errors import CursorError, ServerError, UnknownEventError, describe_error
from clock.ledger.audit_entry import Actor, Details, Entry, Outcome, decode, encode, short
from clock.ledger.unreadable import READ_ERRORS, reply_about, skip

_ID = re.compile(r"[0-9]{1,20}-[0-9]{1,20}")
_Order = tuple[int, int]


@dataclass(slots=True)
class Change:
    """What the caller of ``audited`` learns while it acts. ``problem`` is why nothing changed."""

    before: Details | None = None
    after: Details | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Entries, the newest first. ``next`` is the cursor of the following page, None on the last."""

    entries: Sequence[Entry] = field(default_factory=tuple)
    next: str | None = None


@contextmanager
def audited(
    connection: Redis, app: str, actor: Actor, what: str, on: str, now: float
) -> Iterator[Change]:
    """Record what the block does at ``now``. An error of the block is recorded and passed on, but
    for that of an unknown event: a misspelled name is not an action on anything.
    """
    change = Change()
    try:
        yield change
    except UnknownEventError:
        raise
    except Exception as error:
        # A server that is away would only make the caller wait a second time.
        entry = _entry(actor, what, on, now, change, change.problem or describe_error(error))
        write_entry(None if isinstance(error, ServerError) else connection, app, entry)
        raise
    write_entry(connection, app, _entry(actor, what, on, now, change, change.problem))


def write_entry(connection: Redis | None, app: str, entry: Entry) -> None:
    """Log ``entry`` and, with a connection, write it. Never fails: the log has the reason."""
    actor = entry.actor
    log.info(
        "audit",
        who=short(actor.name),
        what=entry.what,
        on=short(entry.on),
        outcome=entry.outcome,
        reason=short(entry.reason) or None,
        how=actor.how,
        source=actor.source,
    )
    if connection is None:
        return
    is_done = entry.outcome is Outcome.DONE
    key = keys.audit(app) if is_done else keys.failed_audit(app)
    most = keys.AUDITED if is_done else keys.AUDITED_FAILED
    try:
        with server_errors(), connection.pipeline(transaction=False) as pipeline:
            pipeline.xadd(key, encode(entry), maxlen=most, approximate=True)
            pipeline.expire(key, keys.TTL)
            pipeline.execute()
    except ServerError as error:
        log.warning("audit entry not written", what=entry.what, on=entry.on, error=str(error))


def read_audit(connection: Redis, app: str, count: int, cursor: str | None = None) -> Page:
    """``count`` entries before ``cursor``, else the latest. Raises CursorError and ServerError."""
    before = "+" if cursor is None else _before(cursor)
    lines = [
        (_order(identifier), key, fields)
        for key in (keys.audit(app), keys.failed_audit(app))
        for identifier, fields in reply_about(key, connection.xrevrange, before, "-", count + 1)
        or ()
    ]
    lines.sort(key=lambda line: line[0], reverse=True)
    # Entries of the two streams may have the same id, and a cursor cannot point between them.
    shown = [line for line in lines if line[0] >= lines[count - 1][0]] if lines[count:] else lines
    is_more = len(shown) < len(lines)
    entries = [entry for line in shown if (entry := _read(*line)) is not None]
    return Page(entries=entries, next="{}-{}".format(*shown[-1][0]) if is_more else None)


def read_audit_of(connection: Redis, app: str, on: str, among: int) -> list[Entry]:
    """The entries about ``on``, the name of an event for instance, among the latest ``among``.

    Raises ServerError.
    """
    entries = read_audit(connection, app, among).entries
    return [entry for entry in entries if entry.on == short(on)]


def _entry(actor: Actor, what: str, on: str, now: float, change: Change, problem: str) -> Entry:
    return Entry(
        at=now,
        actor=actor,
        what=what,
        on=on,
        outcome=Outcome.FAILED if problem else Outcome.DONE,
        reason=problem,
        before=change.before,
        after=change.after,
    )


def _read(order: _Order, key: str, fields: Mapping[Any, Any]) -> Entry | None:
    identifier = "{}-{}".format(*order)
    try:
        return decode(identifier, fields)
    except READ_ERRORS as error:
        skip(key, error, identifier)
        return None


def _order(identifier: bytes | str) -> _Order:
    first, _, second = as_text(identifier).partition("-")
    return int(first), int(second)


def _before(cursor: str) -> str:
    """The id before ``cursor``; servers before Redis 6.2 know no other way to leave it out."""
    order = _order(cursor) if _ID.fullmatch(cursor) else (0, 0)
    if not (0, 0) < order < (2**64, 0) or order[1] >= 2**64:
        raise CursorError("the cursor is not one of the audit log")
    return f"{order[0]}-{order[1] - 1}" if order[1] else f"{order[0] - 1}"
