"""The banner on top of every page: what needs attention."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from clock.observe.attention import Attention, AttentionKind
from clock.observe.reading import read_attention, read_recent, read_status
from clock.observe.status import AppStatus
from clock.web.context import Context

FIRST = 3
"""Items that are always shown."""

MOST = 50
"""Items in all; of more, the list of events has the rest."""


RUNS = 24
"""Runs by which it is known since when an event fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingClock:
    """No clock of the schedule ``file`` is alive. Its last tick was at ``since`` (UTC seconds since
    1970), None where that is not known.
    """

    file: str
    since: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionBanner:
    """The clocks that are ``missing``, and ``items``, the most urgent first."""

    missing: Sequence[MissingClock] = ()
    items: Sequence[Attention] = ()

    @property
    def count(self) -> int:
        """How much needs attention."""
        return len(self.missing) + len(self.items)

    @property
    def first(self) -> Sequence[Attention]:
        """Those that are always shown."""
        return self.items[:FIRST]

    @property
    def more(self) -> Sequence[Attention]:
        """Those that are folded."""
        return self.items[FIRST:MOST]

    @property
    def counts(self) -> list[tuple[AttentionKind, int]]:
        """The number of items of each kind, the most urgent first."""
        return _counts(self.items)

    @property
    def folded(self) -> list[tuple[AttentionKind, int]]:
        """The same of those that are not always shown."""
        return _counts(self.items[FIRST:])


def read_recent_status(context: Context, now: float) -> AppStatus:
    """The status at ``now``, or as the event stream read it a moment before. Raises ServerError."""
    recent = context.feed.recent()
    if recent is not None:
        return recent.status
    return read_status(context.connection, context.app, now, tolerance=context.tolerance)


def read_banner(context: Context, now: float, status: AppStatus | None = None) -> AttentionBanner:
    """What needs attention at ``now``, by ``status`` where that was read already, with its runs.

    Raises ServerError.
    """
    connection, app = context.connection, context.app
    status = status or read_recent_status(context, now)
    failing = [event for event in status.events if event.is_failing][:MOST]
    if failing:
        # Since when they fail is in the runs before the last one.
        _, runs = read_recent(connection, app, failing, RUNS)
        status = replace(status, runs={**status.runs, **runs})
    return AttentionBanner(missing=_missing(status), items=read_attention(connection, status))


def _missing(status: AppStatus) -> list[MissingClock]:
    ticks: dict[str, float] = {}
    for life in status.lives:
        ticks[life.file] = max(life.last_tick, ticks.get(life.file, 0.0))
    return [MissingClock(file=file, since=ticks.get(file)) for file in status.missing]


def _counts(items: Sequence[Attention]) -> list[tuple[AttentionKind, int]]:
    counts = Counter(item.kind for item in items)
    return [(kind, counts[kind]) for kind in AttentionKind if counts[kind]]
