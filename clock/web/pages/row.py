"""A row of the table of events."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from clock.ledger.pauses import Pause
from clock.observe.recent_runs import RecentRuns
from clock.observe.selection import last_of
from clock.observe.state import State, last_decision, last_lateness
from clock.observe.status import EventStatus
from clock.recurrence.zone import Zone
from clock.runs.run import Run
from clock.web.pages import history_bars

SHOWN_LATE = 1.0
"""Seconds of lateness from which it is shown: below, it says nothing about the event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One event. Instants are UTC seconds since 1970.

    ``has_clock`` says whether a clock of its schedule file is alive: without one, nothing happens
    at ``next``. ``last`` is when a job was enqueued last, on time or by hand, and ``lateness`` how
    late the last occurrence was, in seconds. ``passed`` is the last occurrence decided, where it is
    later and did not fire. ``marks`` are its history bars.
    """

    name: str
    state: State
    task: str
    queue: str
    sentence: str
    rule: str
    zone: Zone
    file: str
    has_clock: bool
    next: int | None
    last: int | None
    lateness: float | None
    passed: int | None
    pause: Pause | None
    run: Run | None
    marks: tuple[history_bars.Mark, ...]

    @property
    def is_late(self) -> bool:
        """Whether the lateness is worth showing."""
        return self.lateness is not None and self.lateness >= SHOWN_LATE


def rows_of(
    events: Iterable[EventStatus],
    runs: Mapping[str, RecentRuns],
    now: float,
    files_without_clock: Collection[str] = (),
) -> tuple[Row, ...]:
    """The rows of ``events`` in their order, at ``now``."""
    return tuple(
        _row(event, runs.get(event.name), now, event.description.file not in files_without_clock)
        for event in events
    )


def _row(event: EventStatus, runs: RecentRuns | None, now: float, has_clock: bool) -> Row:
    description, record = event.description, event.record
    last, decided = last_of(event), last_decision(record)
    return Row(
        name=event.name,
        state=event.state,
        task=description.task,
        queue=description.queue,
        sentence=description.sentence,
        rule=description.rule,
        zone=description.zone,
        file=description.file,
        has_clock=has_clock,
        next=event.next,
        last=last,
        lateness=last_lateness(record),
        passed=decided.last if decided is not None and decided.last > (last or 0) else None,
        pause=event.pause,
        run=None if runs is None else runs.newest,
        marks=tuple(history_bars.marks(event, {} if runs is None else runs.outcomes, now)),
    )
