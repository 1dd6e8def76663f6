"""A source: a function, or the ledger, that gives events while the clock runs."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from clock.recurrence.duration import Duration
from clock.recurrence.zone import Zone
from clock.schedule import checks
from clock.schedule.assembly import Assembly

DEFAULT_EVERY = "30 seconds"
"""How often a source is asked where its declaration does not say."""

MAX_EVENTS = 10_000
"""How many rows a source may give where its declaration does not say."""

MOST_EVENTS = 1_000_000
"""The highest number ``max_events`` takes."""

OWN = "clock."
"""What the names of this package's own functions begin with; no row may name one of them."""

_PATTERN = re.compile(r"[^\W\d]\w*(\.([^\W\d]\w*|\*|\w*\*))+")


class Stored:
    """The rows that people edit, kept in the ledger."""

    def __repr__(self) -> str:
        return "stored()"


def stored() -> Stored:
    """The rows that people edit with ``clock put``, for ``source``."""
    return Stored()


RowFunction = Callable[[], Iterable[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDeclaration:
    """One call of ``source``. ``function`` is None for rows that people edit, ``every`` is seconds,
    ``tasks`` and ``queues`` are patterns, None for any queue.
    """

    name: str
    function: RowFunction | None
    every: int
    tasks: tuple[str, ...]
    queues: tuple[str, ...] | None
    max_events: int
    path: str = ""
    line: int = 0

    def allows_task(self, name: str) -> bool:
        """Whether a row may name this function."""
        return not name.startswith(OWN) and _matches(name, self.tasks)

    def allows_queue(self, name: str) -> bool:
        """Whether the jobs of a row may go to this queue."""
        return self.queues is None or _matches(name, self.queues)


@dataclass(frozen=True, slots=True)
class Source:
    """A source with the defaults and the zone of its file, which hold for its rows."""

    declaration: SourceDeclaration
    defaults: Mapping[str, Any]
    zone: Zone
    assembly: Assembly

    @property
    def name(self) -> str:
        """Its name."""
        return self.declaration.name


def check_source(
    name: object,
    rows: object,
    *,
    every: Duration,
    tasks: object,
    queues: object = None,
    max_events: object = MAX_EVENTS,
) -> SourceDeclaration:
    """The declaration of a source. Raises ValueError, with one sentence."""
    function: RowFunction | None = None
    if not isinstance(rows, Stored):
        function = _function(rows)
    if type(max_events) is not int or not 1 <= max_events <= MOST_EVENTS:
        raise ValueError(
            f"max_events=: {max_events!r} must be a number of rows from 1 to {MOST_EVENTS}"
        )
    try:
        seconds = checks.duration(every)
    except ValueError as error:
        raise ValueError(f"every=: {error}") from None
    return SourceDeclaration(
        name=checks.string(name),
        function=function,
        every=seconds,
        tasks=_task_patterns(tasks),
        queues=None if queues is None else _strings("queues", queues),
        max_events=max_events,
    )


def _function(rows: object) -> RowFunction:
    if not callable(rows):
        raise ValueError(f"{rows!r} cannot be called; write a function of rows, or stored()")
    if inspect.iscoroutinefunction(rows) or inspect.isasyncgenfunction(rows):
        raise ValueError(f"{rows!r} is an async function; write a plain function of rows")
    function: RowFunction = rows
    return function


def _task_patterns(tasks: object) -> tuple[str, ...]:
    patterns = _strings("tasks", tasks)
    for pattern in patterns:
        if not _PATTERN.fullmatch(pattern):
            raise ValueError(
                f"tasks=: {pattern!r} is not a dotted name, or one that ends in '.*', "
                "as 'tasks.reports.*'"
            )
        if pattern.startswith(OWN):
            raise ValueError(f"tasks=: {pattern!r} allows functions of the clock itself")
    return patterns


def _strings(option: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence) or not value:
        raise ValueError(f"{option}=: {value!r} must be a list of patterns, at least one")
    for item in value:
        try:
            checks.string(item)
        except ValueError as error:
            raise ValueError(f"{option}=: {error}") from None
    return tuple(value)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
