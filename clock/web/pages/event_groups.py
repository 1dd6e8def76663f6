"""Groups of events: by queue, or by what their names begin with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from clock.observe.selection import count_states
from clock.observe.state import State
from clock.observe.status import EventStatus

_PARTS = re.compile(r"[.:/]")

OTHERS = "other"
"""The group of the events whose names have no part in front."""


class Grouping(StrEnum):
    """What events are grouped by."""

    QUEUE = "queue"
    PREFIX = "prefix"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The ``events`` that have ``name`` in common; they are listed where it ``is_open``."""

    name: str
    events: Sequence[EventStatus]
    is_open: bool

    @property
    def counts(self) -> list[tuple[State, int]]:
        """The number of its events in each state, the most urgent first."""
        return count_states(self.events)


def group(events: Iterable[EventStatus], grouping: Grouping, opened: frozenset[str]) -> list[Group]:
    """The groups of ``events`` by name, each in the order of ``events``."""
    events = list(events)
    name_of = _queue if grouping is Grouping.QUEUE else _prefix(events)
    members: dict[str, list[EventStatus]] = {}
    for event in events:
        members.setdefault(name_of(event), []).append(event)
    return [
        Group(name=name, events=members[name], is_open=name in opened) for name in sorted(members)
    ]


def _queue(event: EventStatus) -> str:
    return event.description.queue


def _prefix(events: Sequence[EventStatus]) -> Callable[[EventStatus], str]:
    """The first part of a name in which the names differ: that which all share says nothing."""
    names = [_PARTS.split(event.name)[:-1] for event in events]
    shared = 0
    while len({tuple(parts[: shared + 1]) for parts in names if len(parts) > shared}) == 1:
        if any(len(parts) <= shared for parts in names):
            break
        shared += 1

    def name_of(event: EventStatus) -> str:
        parts = _PARTS.split(event.name)[:-1]
        return parts[shared] if len(parts) > shared else OTHERS

    return name_of
