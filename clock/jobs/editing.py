"""Editing rows: ``clock.put``, ``clock.remove`` and ``clock.events``, with the checks of a file.

The clock that asks their source takes them over within a second.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from typing import Any

from redis import Redis
from redis.client import Pipeline
from rq.serializers import resolve_serializer

from clock import keys
from clock.connection.client import client_of
from clock.errors import NotEditableError, RowError, UnknownEventError, UnknownSourceError
from clock.ledger.audit import audited
from clock.ledger.audit_entry import Actor, Details, Entry, encode
from clock.ledger.descriptions import parse_descriptions
from clock.ledger.records import unknown_event
from clock.ledger.row_lines import decode_job, is_plain
from clock.ledger.sources import SourceState, read_sources
from clock.ledger.stored import StoredRow, StoredRows
from clock.ledger.time_source import server_now
from clock.ledger.unreadable import reply_about
from clock.recurrence.zone import zone
from clock.schedule.assembly import Assembly
from clock.schedule.event import Event
from clock.schedule.row import read_row
from clock.schedule.source import Source, SourceDeclaration


def put(
    connection: Redis,
    row: Mapping[str, Any],
    *,
    app: str = "clock",
    by: str = "",
    source: str | None = None,
    version: int | None = None,
) -> Event:
    """Create or replace the stored row of the name ``row["name"]``; returns its event.

    ``row`` holds the words of ``every`` as JSON has them. ``by`` is who edits it, for the audit
    log. ``source`` is needed where the schedule has several that are ``stored()``. With a
    ``version`` it is written only where the row has that one, 0 for a new row. ``connection`` may
    be a pipeline: the row is checked now, and written when that is executed.

    Raises RowError, UnknownSourceError, RowChangedError and ServerError.
    """
    client = client_of(connection)
    editor = Editor(client, app)
    actor = application(by)
    now = server_now(client, time.time())
    event = editor.check(row, source, now)
    if isinstance(connection, Pipeline):
        stored = editor.stored_row(row, event.source, actor.name, now)
        editor.rows.put(stored, expected=version, pipeline=connection)
        entry = Entry(at=now, actor=actor, what="put", on=event.name, after=details(stored.row))
        _audit(connection, app, entry)
        return event
    with audited(client, app, actor, "put", event.name, now) as change:
        stored = editor.stored_row(row, event.source, actor.name, now)
        before = editor.rows.put(stored, expected=version)
        change.before = None if before is None else details(before.row)
        change.after = details(stored.row)
    return event


def remove(
    connection: Redis,
    name: str,
    *,
    app: str = "clock",
    by: str = "",
    version: int | None = None,
) -> None:
    """Remove the stored row ``name``; it fires no more, at once. Arguments as of ``put``.

    Raises UnknownEventError where there is none, RowChangedError and ServerError.
    """
    client = client_of(connection)
    editor = Editor(client, app)
    actor, now = application(by), server_now(client, time.time())
    row = editor.row(name)
    if isinstance(connection, Pipeline):
        editor.rows.remove(name, row.source, now, expected=version, pipeline=connection)
        entry = Entry(at=now, actor=actor, what="remove", on=name, before=details(row.row))
        _audit(connection, app, entry)
        return
    with audited(client, app, actor, "remove", name, now) as change:
        before = editor.rows.remove(name, row.source, now, expected=version)
        change.before = None if before is None else details(before.row)


def events(connection: Redis, *, app: str = "clock") -> dict[str, StoredRow]:
    """Every stored row by name. Raises ServerError."""
    return StoredRows(connection, app).read()


class Editor:
    """Checks rows of one application that people edit. Every method raises ServerError."""

    def __init__(self, connection: Redis, app: str) -> None:
        self._connection = connection
        self._app = app
        self.rows = StoredRows(connection, app)

    def check(self, row: object, source: str | None, now: float) -> Event:
        """The event of a row that is to be stored. Raises RowError and UnknownSourceError."""
        if not isinstance(row, Mapping):
            raise RowError("", "a row must be a mapping of words")
        if not is_plain(dict(row)):
            wrong = next(word for word, value in row.items() if not is_plain(value))
            raise RowError(str(wrong), f"{wrong}=: a stored row holds values as JSON has them")
        event = read_row(row, self.source(source))
        if event.is_once and event.recurrence.next(int(now)) is None:
            raise RowError("once", f"once=: {row['once']!r} is past")
        self._check_name(event)
        return event

    def stored_row(self, row: Mapping[str, Any], source: str, by: str, now: float) -> StoredRow:
        """A checked row as it is stored; what says nothing is left out."""
        kept = {word: value for word, value in row.items() if value is not None}
        return StoredRow(
            name=str(row["name"]), source=source, version=1, row=kept, by=by, at=round(now, 3)
        )

    def row(self, name: str) -> StoredRow:
        """The stored row ``name``. Raises UnknownEventError."""
        rows = self.rows.read()
        if name not in rows:
            raise UnknownEventError(
                f"no stored row is named {name!r}"
                if not rows
                else unknown_event(name, sorted(rows), self._app)
            )
        return rows[name]

    def source(self, name: str | None) -> Source:
        """The source ``name`` that is ``stored()``, else the only one. Raises
        UnknownSourceError.
        """
        states = read_sources(self._connection, self._app)
        stored = {state.name: state for state in states.values() if state.is_stored}
        if not stored:
            raise UnknownSourceError(
                f"no clock of the application {self._app!r} has a source that is stored()"
            )
        if name is None and len(stored) > 1:
            raise UnknownSourceError(f"name the source, one of {', '.join(sorted(stored))}")
        chosen = next(iter(stored)) if name is None else name
        if chosen not in stored:
            raise UnknownSourceError(
                f"no source named {name!r} is stored(); they are {', '.join(sorted(stored))}"
            )
        return source_of(stored[chosen])

    def _check_name(self, event: Event) -> None:
        name, app = event.name, self._app
        for key in (keys.descriptions, keys.rows):
            line = reply_about(key(app), self._connection.hget, name)
            known = parse_descriptions(app, {} if line is None else {name: line}, key).get(name)
            if known is None or known.removed is not None or known.source == event.source:
                continue
            owner = f"the source {known.source!r}" if known.source else f"{known.path}:{known.line}"
            raise NotEditableError("name", f"the name {name!r} is taken by {owner}")


def application(by: str) -> Actor:
    """Who edits a row from a program."""
    host = socket.gethostname()
    return Actor(name=by or f"application@{host}", how="application", source=host)


def details(row: Mapping[str, Any]) -> Details:
    """A row for the audit log."""
    plain = (str, int, float, bool)
    return {
        word: value if isinstance(value, plain) else str(value)
        for word, value in row.items()
        if value is not None
    }


def _audit(pipeline: Pipeline, app: str, entry: Entry) -> None:
    """Record an action together with it."""
    pipeline.xadd(keys.audit(app), encode(entry), maxlen=keys.AUDITED, approximate=True)
    pipeline.expire(keys.audit(app), keys.TTL)


def source_of(state: SourceState) -> Source:
    """A source as its clock wrote it down, to check rows with."""
    defaults = dict(state.defaults)
    job = decode_job(defaults.pop("job", {}))
    options = {name: value for name, value in {**defaults, **job}.items() if value is not None}
    declaration = SourceDeclaration(
        name=state.name,
        function=None,
        every=state.every,
        tasks=state.tasks,
        queues=state.queues,
        max_events=1,
        path=state.path,
        line=state.line,
    )
    assembly = Assembly(resolve_serializer("json").dumps, "json")
    return Source(declaration, options, zone(state.zone), assembly)
