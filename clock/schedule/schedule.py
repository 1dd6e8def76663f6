"""A schedule: the events and the sources of one file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from clock.recurrence.zone import Zone
from clock.schedule.event import Event
from clock.schedule.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The events of a file by name, in the order of the file, and its sources by name.

    ``zone`` is the one in force where an event names none.
    """

    path: str
    zone: Zone
    events: Mapping[str, Event]
    sources: Mapping[str, Source] = field(default_factory=lambda: MappingProxyType({}))
