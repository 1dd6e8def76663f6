"""Stored rows: those that people edit, kept in the ledger for a source that is ``stored()``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import ResponseError
from rq.utils import as_text

from clock import keys
from clock.connection.errors import server_errors
from clock.connection.scripts import script
from clock.errors import RowChangedError
from clock.ledger.unreadable import readable, reply_about
from clock.ledger.values import instant, text, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRow:
    """A row that people edit. ``version`` grows by one with each change; ``by`` made the last one,
    at ``at`` (UTC seconds since 1970).
    """

    name: str
    source: str
    version: int
    row: Mapping[str, Any]
    by: str
    at: float


class StoredRows:
    """The stored rows of one application. Every method raises ServerError."""

    def __init__(self, connection: Redis, app: str) -> None:
        self._connection = connection
        self._app = app
        self._script = connection.register_script(script("clock.ledger", "stored.lua"))

    def read(self) -> dict[str, StoredRow]:
        """Every stored row by name."""
        return parse_stored(self._app, self.lines())

    def find(self, name: str) -> StoredRow | None:
        """The stored row of that name."""
        key = keys.stored(self._app)
        line = reply_about(key, self._connection.hget, name)
        return parse_stored(self._app, {} if line is None else {name: line}).get(name)

    def lines(self) -> Mapping[bytes, bytes]:
        """Every stored row as it is kept, for ``restore``."""
        key = keys.stored(self._app)
        return cast("Mapping[bytes, bytes]", reply_about(key, self._connection.hgetall) or {})

    def put(
        self,
        row: StoredRow,
        *,
        expected: int | None = None,
        pipeline: Pipeline | None = None,
    ) -> StoredRow | None:
        """Put ``row``, of which the version is not read, and return what it replaces; with a
        ``pipeline`` it is executed with that, and None is returned.

        Raises RowChangedError where its version is not the one ``expected``, 0 for none.
        """
        fields = {"source": row.source, "row": row.row, "by": row.by, "at": row.at}
        line = json.dumps(fields, ensure_ascii=False)
        return self._call("put", row.name, row.source, line, row.at, expected, pipeline)

    def remove(
        self,
        name: str,
        source: str,
        now: float,
        *,
        expected: int | None = None,
        pipeline: Pipeline | None = None,
    ) -> StoredRow | None:
        """Remove a row, and return it; no clock claims it from here on. Arguments and errors are
        those of ``put``.
        """
        return self._call("remove", name, source, "", now, expected, pipeline)

    def restore(self, lines: Mapping[bytes, bytes], now: float) -> None:
        """Put rows back that a server lost; what is there stays."""
        for name, line in lines.items():
            self._call("restore", as_text(name), "", as_text(line), now, None, None)

    def _call(
        self,
        mode: str,
        name: str,
        source: str,
        line: str,
        now: float,
        expected: int | None,
        pipeline: Pipeline | None,
    ) -> StoredRow | None:
        of = (keys.stored, keys.rows, keys.removed_rows, keys.row_changes)
        arguments = [
            *(mode, keys.CHANGES, keys.TTL, name, "" if expected is None else expected),
            *(json.dumps(source, ensure_ascii=False), line, int(now)),
        ]
        with server_errors():
            try:
                before = cast(
                    "Any",
                    self._script(
                        keys=[key(self._app) for key in of],
                        args=arguments,
                        client=self._connection if pipeline is None else pipeline,
                    ),
                )
            except ResponseError as error:
                version = str(error).rpartition("version ")[2]
                if not version.isdecimal():
                    raise
                raise RowChangedError(
                    f"the row {name!r} has version {version}, not {expected}"
                ) from None
        if pipeline is not None or not before:
            return None
        return parse_stored(self._app, {name: before}).get(name)


def parse_stored(app: str, lines: Mapping[Any, Any] | None) -> dict[str, StoredRow]:
    """The rows in the ledger's hash of stored ones, by name."""
    return readable(keys.stored(app), lines, _parse)


def _parse(name: str, line: str) -> StoredRow:
    version, _, body = line.partition(" ")
    fields = json.loads(body)
    # Neither NaN nor half a surrogate pair can be shown as JSON.
    json.dumps(fields["row"], ensure_ascii=False, allow_nan=False).encode()
    if not isinstance(fields["row"], dict):
        raise ValueError("not a row")
    return StoredRow(
        name=name,
        source=text(fields["source"]),
        version=whole(version, 1),
        row=fields["row"],
        by=text(fields["by"]),
        at=instant(fields["at"]),
    )
