"""The rows in force as this clock knows them, kept up with the ledger."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from typing import NamedTuple

from clock import keys, log
from clock.errors import describe_error
from clock.ledger.row_lines import RowLines, digest_of, source_of
from clock.ledger.rows import Rows
from clock.loop.row_changes import RowChange, RowChanges


class Known(NamedTuple):
    """A row in force: its source, and a digest of its line, None where the server lost it."""

    source: str
    digest: bytes | None


class Mirror:
    """Hands the rows of ``sources``, the names of those this clock declares, to its loop.

    A row that the server lost stays in force here until its source says otherwise.
    """

    def __init__(
        self, rows: Rows, lines: RowLines, changes: RowChanges, sources: Collection[str]
    ) -> None:
        self._rows = rows
        self._lines = lines
        self._changes = changes
        self._sources = sources
        self._known: dict[str, Known] = {}
        self._skipped: set[str] = set()
        self._is_first = True
        self._good_at = 0.0
        self._history: deque[tuple[int, set[str]]] = deque(maxlen=keys.CHANGES)
        self.lost_since = 0.0
        """When the server had the rows that it lost since, in UTC seconds since 1970."""
        self.are_stored_changed = True
        """Whether people edited rows since somebody reset this."""
        self.is_lost = False
        """Whether the server lost data since somebody reset this."""
        self.version = 0
        """Up to which change it is known."""

    @property
    def known(self) -> Mapping[str, Known]:
        """Every row in force, by name."""
        return self._known

    def of(self, source: str) -> list[str]:
        """The names of the rows of a source."""
        return [name for name, row in self._known.items() if row.source == source]

    def has_changed(self, names: Collection[str], since: int) -> bool:
        """Whether one of the rows ``names`` changed after the version ``since``, as far as is
        known.
        """
        if self._history and self._history[0][0] > since + 1 and len(self._history) == keys.CHANGES:
            return True
        return any(
            not changed.isdisjoint(names) for version, changed in self._history if version > since
        )

    def renew(self) -> None:
        """Hand every row to the loop again, from the next call of ``follow`` on."""
        self._is_first = True

    def follow(self, seconds: float, now: float) -> set[str]:
        """Read what changed, waiting ``seconds`` for it at most; returns the names. ``now`` is UTC
        seconds since 1970. Raises ServerError.
        """
        is_first = self._is_first
        changes = self._rows.wait_for_changes(self.version, 0.0 if is_first else seconds)
        if not changes.names and not changes.are_all and not is_first:
            self._good_at = now
            return set()
        is_older = changes.version < self.version
        names = [name for name in changes.names if name]
        if changes.are_all or is_first or len(names) < len(changes.names):
            # What has no name says that stored rows changed.
            self.are_stored_changed = True
        if changes.are_all or is_first:
            there = set(self._rows.names())
            names = [*there, *(name for name in self._known if name not in there)]
        if is_older:
            self.is_lost, self.lost_since = True, self._good_at
            self._history.clear()
            log.warning("rows lost", reason="the server lost them; their sources are asked again")
        for name, (line, decided) in self._rows.read(names).items():
            self._take(name, line, decided, is_first=is_first, is_older=is_older)
        self.version, self._is_first, self._good_at = changes.version, False, now
        self._history.append((self.version, set(names)))
        self._changes.wake()
        return set(names)

    def _take(
        self, name: str, line: bytes | None, decided: int | None, *, is_first: bool, is_older: bool
    ) -> None:
        before = self._known.get(name)
        if line is None and is_older and before is not None:
            self._known[name] = before._replace(digest=None)
            return
        source = None if line is None else source_of(line)
        if line is None or source is None:
            self._known.pop(name, None)
            self._changes.put(RowChange(name, None))
            return
        self._known[name] = Known(source, digest_of(line.partition(b" ")[2]))
        event = None
        if source in self._sources and decided is not None:
            try:
                event = self._lines.event(name, line.decode())
            except Exception as error:  # a serializer may raise anything
                self._skip(name, source, error)
        self._changes.put(RowChange(name, event, decided or 0, is_first))

    def _skip(self, name: str, source: str, error: Exception) -> None:
        if name not in self._skipped:
            self._skipped.add(name)
            reason = f"this clock cannot read it: {describe_error(error)}"
            log.error("row skipped", source=source, row=name, reason=reason)
