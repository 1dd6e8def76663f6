"""What a source answered, compared with the rows in force."""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from clock.errors import ClockError, RowError
from clock.ledger.row_lines import RowLines, digest_of
from clock.ledger.rows import NewRow
from clock.ledger.sources import LONGEST_REASON
from clock.schedule.row import name_of, read_row
from clock.schedule.schedule import Schedule
from clock.schedule.source import Source
from clock.sources.mirror import Known


class TooManyRowsError(ClockError):
    """A source gives more rows than ``max_events``."""


class Mistake(NamedTuple):
    """Why a row is not in force."""

    field: str
    reason: str
    task: str


class Seen(NamedTuple):
    """A row as it was read last: digests of what the source gave, and of its line."""

    given: bytes | None
    line: bytes | None


@dataclass(slots=True)
class Answer:
    """The rows that a source gave: those to be written, the names of those in force that it gave no
    more, and the refused ones by name. Single occurrences of rows in force that are ``past`` may be
    over.
    """

    count: int = 0
    new: list[NewRow] = field(default_factory=list)
    gone: dict[str, bool] = field(default_factory=dict)
    refused: dict[str, Mistake] = field(default_factory=dict)
    past: dict[str, int] = field(default_factory=dict)
    changed: int = 0


class RowReader:
    """Reads the rows of one source of ``schedule``; a row that did not change is not read again."""

    def __init__(self, source: Source, schedule: Schedule, lines: RowLines) -> None:
        self._source = source
        self._schedule = schedule
        self._lines = lines
        self._seen: dict[str, Seen] = {}

    def compare(
        self,
        rows: Iterable[Any],
        known: Mapping[str, Known],
        yields: Mapping[str, bool],
        now: float,
    ) -> Answer:
        """Compare what the source gave with the rows in force. Raises TooManyRowsError, and what
        the source does.

        ``yields`` says of other sources that this clock does not declare whether their rows give
        way to this one. ``now`` is UTC seconds since 1970.
        """
        most = self._source.declaration.max_events
        answer, there = Answer(), set[str]()
        # One by one, so that many rows are never in memory at once, and no garbage collection has
        # to look through them.
        for number, row in enumerate(rows, 1):
            if number > most:
                raise TooManyRowsError(f"it gives more than {most} rows; raise max_events=")
            answer.count = number
            try:
                self._compare_row(row, known, yields, now, answer, there)
            except RowError as error:
                name = name_of(row)
                label = name or f"row {number} of {self._source.name}"
                if label in there or label in answer.refused or self._is_taken(label, known):
                    label = f"{label} (row {number} of {self._source.name})"
                task = row.get("task") if isinstance(row, Mapping) else None
                answer.refused[label] = Mistake(
                    error.field, error.message[:LONGEST_REASON], task if type(task) is str else ""
                )
        for name, entry in known.items():
            if entry.source == self._source.name and name not in there:
                answer.gone[name] = name not in self._schedule.events
        for name in [name for name in self._seen if name not in there]:
            del self._seen[name]
        return answer

    def _is_taken(self, name: str, known: Mapping[str, Known]) -> bool:
        if name in self._schedule.events:
            return True
        entry = known.get(name)
        return entry is not None and entry.source != self._source.name

    def _compare_row(
        self,
        row: Any,
        known: Mapping[str, Known],
        yields: Mapping[str, bool],
        now: float,
        answer: Answer,
        there: set[str],
    ) -> None:
        digest = _digest_of(row)
        name = row["name"] if digest is not None and type(row.get("name")) is str else name_of(row)
        if name in there:
            raise RowError("name", f"the name {name!r} is given twice")
        entry = known.get(name)
        is_ours = entry is not None and entry.source == self._source.name
        if is_ours and entry is not None and self._seen.get(name) == (digest, entry.digest):
            there.add(name)
            return
        event = read_row(row, self._source)
        own = self._schedule.events.get(name)
        if own is not None:
            raise RowError("name", f"the name {name!r} is taken by {own.path}:{own.line}")
        if entry is not None and not is_ours:
            if entry.source in self._schedule.sources:
                raise RowError("name", f"the name {name!r} is taken by the source {entry.source!r}")
            if not yields.get(entry.source, True):
                return
        if event.is_once and event.recurrence.next(int(now)) is None:
            # One that is past and was never in force is not missed, as any row seen first.
            if is_ours:
                there.add(name)
                answer.past[name] = event.recurrence.next(0) or 0
            return
        there.add(name)
        body = self._lines.body(event, self._schedule.path)
        line = digest_of(body)
        if digest is not None and not event.is_once:
            self._seen[name] = Seen(digest, line)
        if not is_ours or entry is None or entry.digest != line:
            answer.new.append(NewRow(event, body))
            answer.changed += entry is not None


def _digest_of(row: Any) -> bytes | None:
    """A digest of what a source gave; None where it holds objects, whose content is not known."""
    try:
        # Without references, which depend on more than the value.
        data = marshal.dumps(dict(row), 2)
    except (TypeError, ValueError):
        return None
    return hashlib.blake2b(data, digest_size=12).digest()
