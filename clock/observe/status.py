"""The status of an application: its clocks and events, what is next, and what is wrong.

It is computed from a snapshot for a given instant.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from clock.errors import UnknownEventError
from clock.ledger.clocks import Life
from clock.ledger.descriptions import Description
from clock.ledger.lower import is_ahead
from clock.ledger.pauses import Pause
from clock.ledger.record import Record
from clock.ledger.records import unknown_event
from clock.ledger.sources import SourceState
from clock.observe.conflict import ClockConflict, conflicts_of
from clock.observe.overdue import due_since, following
from clock.observe.recent_runs import RecentRuns
from clock.observe.snapshot import Snapshot
from clock.observe.state import State, state_of_history
from clock.recurrence.recurrence import Recurrence
from clock.settings import TOLERANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStatus:
    """One event. Instants are UTC seconds since 1970.

    ``record`` is None where it was never enrolled. ``pause`` is the pause in effect.
    ``recurrence`` computes its occurrences, as far as they are known (see
    ``clock.recurrence.published``); None where they are not. ``next`` is its next occurrence.
    ``pending`` is the oldest undecided one: the next one too, unless its time is past;
    ``pending_due`` is when it is due, later than its time where the event has jitter. ``overdue``
    is for how many seconds it could have been decided, where that is more than the tolerance, else
    None. ``is_ahead`` says that its record stands in the server's future, ``is_failing`` that its
    last run failed, as far as runs are known.
    """

    description: Description
    record: Record | None
    pause: Pause | None
    recurrence: Recurrence | None
    next: int | None
    pending: int | None
    overdue: float | None
    is_ahead: bool
    is_failing: bool
    state: State
    pending_due: int | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return self.description.name


@dataclass(frozen=True, slots=True, kw_only=True)
class AppStatus:
    """An application at the instant ``now``, in UTC seconds since 1970.

    ``alive`` are the live clocks, ``lives`` all known ones, the latest last tick first. ``events``
    are in the order of their files; those that no schedule has any more are ``removed``.
    ``missing`` are the schedule files that have events and no live clock. ``unreadable`` lists the
    skipped entries, each with the reason. ``conflicts`` are live clocks whose declarations differ,
    ``sources`` those that a live clock declares.
    ``runs`` are the recent runs by event, where they were read.
    """

    app: str
    now: float
    lives: tuple[Life, ...]
    alive: tuple[Life, ...]
    events: tuple[EventStatus, ...]
    removed: tuple[EventStatus, ...]
    missing: tuple[str, ...]
    unreadable: tuple[str, ...] = ()
    conflicts: tuple[ClockConflict, ...] = ()
    sources: tuple[SourceState, ...] = ()
    runs: Mapping[str, RecentRuns] = field(default_factory=dict)

    def event(self, name: str) -> EventStatus:
        """The event with that name, removed or not. Raises UnknownEventError."""
        events = {event.name: event for event in (*self.removed, *self.events)}
        if name not in events:
            raise UnknownEventError(unknown_event(name, list(events), self.app))
        return events[name]

    @property
    def overdue(self) -> tuple[EventStatus, ...]:
        """The events that should have fired while a clock was alive, and did not."""
        return tuple(event for event in self.events if event.state is State.OVERDUE)

    @property
    def ahead(self) -> tuple[EventStatus, ...]:
        """The events whose records stand in the future: until then they do not fire."""
        return tuple(event for event in self.events if event.is_ahead)

    @property
    def failing_sources(self) -> tuple[SourceState, ...]:
        """The sources that do not answer: their last rows stay in force."""
        return tuple(source for source in self.sources if source.failing_since is not None)

    @property
    def has_clocks(self) -> bool:
        """Whether a clock is alive, and one for each schedule file that has events."""
        return bool(self.alive) and not self.missing

    @property
    def is_healthy(self) -> bool:
        """Whether its clocks are alive and agree, no event is overdue, no record is ahead and every
        source answers.
        """
        wrong = self.overdue or self.ahead or self.conflicts or self.failing_sources
        return self.has_clocks and not wrong

    def last_tick(self) -> float | None:
        """The latest tick of any clock; None where there never was one."""
        return self.lives[0].last_tick if self.lives else None


def status(
    snapshot: Snapshot,
    now: float,
    *,
    tolerance: float = TOLERANCE,
    runs: Mapping[str, RecentRuns] | None = None,
) -> AppStatus:
    """The status of an application at ``now``.

    An event is overdue from ``tolerance`` seconds on. ``runs`` are the recent runs by event: the
    ledger's records end where a job is enqueued.
    """
    runs = runs or {}
    failing = {name for name, recent in runs.items() if recent.is_failing}
    alive = tuple(life for life in snapshot.lives if life.is_alive(now))
    there: dict[str, float] = {}
    for life in alive:
        there[life.file] = min(there.get(life.file, now), life.there_since)
    declared = {name for life in alive for name in life.sources}
    events = [
        _event(
            snapshot,
            _as_declared(description, snapshot, declared if alive else None),
            now,
            tolerance,
            there.get(description.file),
            description.name in failing,
        )
        for description in snapshot.descriptions.values()
    ]
    files = dict.fromkeys(event.description.file for event in events if not _is_removed(event))
    return AppStatus(
        app=snapshot.app,
        now=now,
        lives=snapshot.lives,
        alive=alive,
        events=tuple(event for event in events if not _is_removed(event)),
        removed=tuple(event for event in events if _is_removed(event)),
        missing=tuple(file for file in files if file not in there),
        unreadable=snapshot.unreadable,
        conflicts=conflicts_of(alive),
        sources=tuple(
            source for name, source in snapshot.sources.items() if name in declared or not alive
        ),
        runs=runs,
    )


def _as_declared(
    description: Description, snapshot: Snapshot, declared: Collection[str] | None
) -> Description:
    """A row counts as removed where live clocks declare its source no more."""
    if not description.source or declared is None or description.source in declared:
        return description
    source = snapshot.sources.get(description.source)
    answered = None if source is None else source.answered
    return replace(description, removed=int(answered or description.since))


def recurrence_of(snapshot: Snapshot, description: Description) -> Recurrence | None:
    """The recurrence of an event, or its published instants; None where they are not known."""
    if description.is_published:
        return snapshot.instants.get(description.name)
    return description.recurrence


def pause_at(pause: Pause | None, now: float) -> Pause | None:
    """The pause, or None where it has ended at ``now``."""
    if pause is None or (pause.until is not None and pause.until <= now):
        return None
    return pause


def _event(
    snapshot: Snapshot,
    description: Description,
    now: float,
    tolerance: float,
    there_since: float | None,
    is_failing: bool,
) -> EventStatus:
    record = snapshot.records.get(description.name)
    pause = snapshot.pauses.get(description.name)
    recurrence = recurrence_of(snapshot, description)
    coming = pending = overdue = None
    delay = 0
    if recurrence is not None and description.enabled and description.removed is None:
        decided = int(now) if record is None else record.decided
        pending = coming = following(recurrence, decided)
        if pending is not None and description.jitter:
            delay = description.delay(recurrence, pending, snapshot.app)
        # Mostly that is the next one too, and a recurrence is asked only once.
        if decided > now or (pending is not None and pending + delay <= now):
            coming = following(recurrence, int(now))
    if pending is not None and there_since is not None:
        since = due_since(pending, pause, there_since, delay)
        overdue = now - since if since is not None and now - since > tolerance else None
    in_future = record is not None and description.enabled and is_ahead(record.decided, now)
    is_past = pending is not None and now - pending - delay > tolerance
    return EventStatus(
        description=description,
        record=record,
        pause=pause_at(pause, now),
        recurrence=recurrence,
        next=coming,
        pending=pending,
        overdue=overdue,
        is_ahead=in_future,
        is_failing=is_failing,
        pending_due=None if pending is None else pending + delay,
        state=_state(
            (State.REFUSED, bool(description.refused)),
            (State.DISABLED, not description.enabled),
            (State.NO_CLOCK, is_past and there_since is None),
            (State.AHEAD, in_future),
            (State.PAUSED, pause_at(pause, now) is not None),
            (State.OVERDUE, overdue is not None),
            (State.FAILING, is_failing),
            (state_of_history(record), True),
        ),
    )


def _state(*states: tuple[State, bool]) -> State:
    return next(state for state, applies in states if applies)


def _is_removed(event: EventStatus) -> bool:
    return event.description.removed is not None
