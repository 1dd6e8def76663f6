"""What is known of sources: what each allows, when it was asked, and which of its rows are refused.

Every clock of the application, and whoever edits rows, reads it here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from redis import Redis

from clock import keys
from clock.connection.errors import server_errors
from clock.ledger.unreadable import readable, reply_about
from clock.ledger.values import flag, instant, second, text, whole

LONGEST_REASON = 500
"""Characters kept of a mistake in a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """A source as the clock that asks it knows it. Instants are UTC seconds since 1970.

    ``file`` is the schedule file that declares it, at ``path`` and ``line``. ``tasks`` and
    ``queues`` are patterns of what its rows may name, ``queues`` None for any. ``zone`` and
    ``defaults`` hold for its rows. It gave ``rows`` when it answered last, of which ``refused``
    have mistakes. ``failing_since`` is since when it has not answered, None where all is well, and
    ``error`` why.
    """

    name: str
    file: str
    path: str
    line: int
    every: int
    is_stored: bool
    tasks: tuple[str, ...]
    queues: tuple[str, ...] | None
    zone: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    asker: str = ""
    answered: float | None = None
    rows: int = 0
    refused: int = 0
    failing_since: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """A row that is not in force because of a mistake in its ``field``, since ``since``."""

    source: str
    field: str
    reason: str
    task: str
    file: str
    path: str
    line: int
    since: int


def write_source(connection: Redis, app: str, state: SourceState) -> None:
    """Write what is known of a source. Raises ServerError."""
    fields = asdict(state)
    name = fields.pop("name")
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        pipeline.hset(keys.sources(app), name, json.dumps(fields, ensure_ascii=False))
        pipeline.expire(keys.sources(app), keys.TTL)
        pipeline.execute()


def read_sources(connection: Redis, app: str) -> dict[str, SourceState]:
    """Every known source by name. Raises ServerError."""
    return parse_sources(app, reply_about(keys.sources(app), connection.hgetall))


def parse_sources(app: str, lines: Mapping[Any, Any] | None) -> dict[str, SourceState]:
    """The sources in the ledger's hash of them, by name."""
    return readable(keys.sources(app), lines, _parse)


def write_refused(
    connection: Redis, app: str, source: str, refused: Mapping[str, RefusedRow]
) -> None:
    """Let ``refused`` be the refused rows of ``source``. Raises ServerError."""
    key = keys.refused_rows(app)
    with server_errors():
        lines = cast("Mapping[Any, Any]", connection.hgetall(key))
    before = parse_refused(app, lines)
    gone = [name for name, row in before.items() if row.source == source and name not in refused]
    new = {name: row for name, row in refused.items() if before.get(name) != row}
    if not gone and not new:
        return
    with server_errors(), connection.pipeline() as pipeline:
        if gone:
            pipeline.hdel(key, *gone)
        if new:
            mapping = {
                name: json.dumps(asdict(row), ensure_ascii=False) for name, row in new.items()
            }
            pipeline.hset(key, mapping=cast("dict[Any, Any]", mapping))
        pipeline.expire(key, keys.TTL)
        pipeline.execute()


def read_refused(connection: Redis, app: str) -> dict[str, RefusedRow]:
    """The refused rows by name. Raises ServerError."""
    return parse_refused(app, reply_about(keys.refused_rows(app), connection.hgetall))


def parse_refused(app: str, lines: Mapping[Any, Any] | None) -> dict[str, RefusedRow]:
    """The rows in the ledger's hash of refused ones, by name."""
    return readable(keys.refused_rows(app), lines, _parse_refused)


def _parse(name: str, line: str) -> SourceState:
    fields = json.loads(line)
    return SourceState(
        name=name,
        file=text(fields["file"]),
        path=text(fields["path"]),
        line=whole(fields["line"]),
        every=whole(fields["every"], 1),
        is_stored=flag(fields["is_stored"]),
        tasks=_texts(fields["tasks"]),
        queues=None if fields["queues"] is None else _texts(fields["queues"]),
        zone=text(fields["zone"]),
        defaults=dict(fields.get("defaults", {})),
        asker=text(fields.get("asker", "")),
        answered=_maybe_instant(fields.get("answered")),
        rows=whole(fields.get("rows", 0), 0),
        refused=whole(fields.get("refused", 0), 0),
        failing_since=_maybe_instant(fields.get("failing_since")),
        error=text(fields.get("error", "")),
    )


def _parse_refused(_name: str, line: str) -> RefusedRow:
    fields = json.loads(line)
    return RefusedRow(
        source=text(fields["source"]),
        field=text(fields["field"]),
        reason=text(fields["reason"]),
        task=text(fields["task"]),
        file=text(fields["file"]),
        path=text(fields["path"]),
        line=whole(fields["line"]),
        since=second(fields["since"]),
    )


def _texts(values: Sequence[Any]) -> tuple[str, ...]:
    return tuple(map(text, values))


def _maybe_instant(value: Any) -> float | None:
    return None if value is None else instant(value)
