"""A row of the table of events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from clock.ledger.pauses import Pause
from clock.observe.recent_runs import RecentRuns
from clock.observe.state import State, last_decision, last_lateness
from clock.observe.status import EventStatus
from clock.recurrence.zone import Zone
from clock.runs.run import Run
from clock.web.pages import history_bars

URGENCY = (
    State.OVERDUE,
    State.AHEAD,
    State.NO_CLOCK,
    State.FAILING,
    State.MISSED,
    State.LATE,
    State.PAUSED,
    State.NEVER_RUN,
    State.ON_TIME,
    State.DISABLED,
)
"""The states, the most urgent first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One event. ``number`` is its position in the schedule; instants are UTC seconds since 1970.

    ``last`` is the last occurrence that fired and ``lateness`` how late, in seconds. ``passed`` is
    the last one decided, where it is later and did not fire. ``marks`` are its history bars.
    """

    number: int
    name: str
    state: State
    task: str
    queue: str
    sentence: str
    rule: str
    zone: Zone
    next: int | None
    last: int | None
    lateness: float | None
    passed: int | None
    pause: Pause | None
    run: Run | None
    marks: tuple[history_bars.Mark, ...]

    @property
    def words(self) -> str:
        """The text that is searched, in lower case."""
        parts = (self.name, self.task, self.queue, self.sentence, self.rule, self.zone.name)
        outcome = "" if self.run is None else f"{self.run.outcome} {self.run.error or ''}"
        return " ".join((*parts, self.state, outcome)).lower()


def rows_of(
    events: Iterable[EventStatus], runs: Mapping[str, RecentRuns], now: float
) -> tuple[Row, ...]:
    """The rows of ``events`` in their order, at ``now``."""
    return tuple(_row(at, event, runs.get(event.name), now) for at, event in enumerate(events))


def _row(number: int, event: EventStatus, runs: RecentRuns | None, now: float) -> Row:
    description, record = event.description, event.record
    fired = None if record is None else record.fired
    decided = last_decision(record)
    is_passed = decided is not None and (fired is None or decided.last > fired)
    return Row(
        number=number,
        name=event.name,
        state=event.state,
        task=description.task,
        queue=description.queue,
        sentence=description.sentence,
        rule=description.rule,
        zone=description.zone,
        next=event.next,
        last=fired,
        lateness=last_lateness(record),
        passed=decided.last if decided is not None and is_passed else None,
        pause=event.pause,
        run=None if runs is None else runs.newest,
        marks=tuple(history_bars.marks(event, {} if runs is None else runs.outcomes, now)),
    )


def sorted_rows(rows: Iterable[Row], order: str, *, descending: bool) -> list[Row]:
    """``rows`` by a column of ``ORDERS``; rows without a value come last either way."""
    by_name = sorted(rows, key=lambda row: (row.name, row.number))
    pairs = [(ORDERS[order](row), row) for row in by_name]
    known = [pair for pair in pairs if pair[0] is not None]
    known.sort(key=lambda pair: pair[0], reverse=descending)
    return [row for _, row in known] + [row for value, row in pairs if value is None]


ORDERS: dict[str, Callable[[Row], Any]] = {
    "state": lambda row: URGENCY.index(row.state),
    "name": lambda row: row.name.lower(),
    "schedule": lambda row: row.sentence,
    "next": lambda row: row.next,
    "last": lambda row: row.last,
    "outcome": lambda row: None if row.run is None else str(row.run.outcome),
}
"""The columns to sort by, and the value of a row in each."""
