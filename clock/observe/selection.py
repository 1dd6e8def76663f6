"""Some of the events of an application: searched, filtered and sorted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from clock.observe.recent_runs import RecentRuns
from clock.observe.state import State, last_manual
from clock.observe.status import AppStatus, EventStatus

URGENCY = (
    State.REFUSED,
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

_RANKS = {state: rank for rank, state in enumerate(URGENCY)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The events whose texts contain all of ``words``, in any case, of one ``state`` and one
    ``queue``, None for any; by the key ``sort`` of ``ORDERS``.
    """

    words: str = ""
    state: str | None = None
    queue: str | None = None
    sort: str = "state"
    descending: bool = False

    def matching(self, status: AppStatus) -> list[EventStatus]:
        """The events of ``status`` with the words and of the queue, in any state, in the order of
        the schedule files.
        """
        words = self.words.lower().split()
        return [
            event
            for event in status.events
            if self.queue in {None, event.description.queue}
            and (not words or _has_words(event, status.runs.get(event.name), words))
        ]

    def of_state(self, events: Iterable[EventStatus], status: AppStatus) -> list[EventStatus]:
        """Those of ``events`` in the state, sorted: by name where the key says nothing, and those
        without a value last either way.
        """
        chosen = [event for event in events if self.state in {None, event.state}]
        chosen.sort(key=lambda event: event.name)
        value = ORDERS[self.sort]
        pairs = [(value(event, status.runs.get(event.name)), event) for event in chosen]
        known = [pair for pair in pairs if pair[0] is not None]
        known.sort(key=lambda pair: pair[0], reverse=self.descending)
        return [event for _, event in known] + [event for value, event in pairs if value is None]


def count_states(events: Iterable[EventStatus]) -> list[tuple[State, int]]:
    """The number of ``events`` in each state that any is in, the most urgent first."""
    counts = Counter(event.state for event in events)
    return [(state, counts[state]) for state in URGENCY if counts[state]]


def last_of(event: EventStatus) -> int | None:
    """When a job of ``event`` was enqueued last, on time or by hand (UTC seconds since 1970)."""
    fired = None if event.record is None else event.record.fired
    manual = last_manual(event.record)
    return max((at for at in (fired, manual) if at is not None), default=None)


def _has_words(event: EventStatus, runs: RecentRuns | None, words: Sequence[str]) -> bool:
    description = event.description
    parts = [
        event.name, description.task, description.queue, description.sentence, description.rule,
        description.zone.name, event.state,
    ]  # fmt: skip
    if runs is not None:
        parts += (runs.newest.outcome, runs.newest.error or "")
    if event.pause is not None:
        parts += (event.pause.by, event.pause.reason)
    text = "\n".join(parts).lower()
    return all(word in text for word in words)


ORDERS: dict[str, Callable[[EventStatus, RecentRuns | None], Any]] = {
    "state": lambda event, _runs: _RANKS[event.state],
    "name": lambda event, _runs: event.name.lower(),
    "next": lambda event, _runs: event.next,
    "last": lambda event, _runs: last_of(event),
    "outcome": lambda _event, runs: None if runs is None else str(runs.newest.outcome),
}
"""The keys to sort by, and the value of an event."""
