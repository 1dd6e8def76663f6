"""A schedule: the events of one file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from clock.recurrence.zone import Zone
from clock.schedule.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The events of a file by name, in the order of the file.

    ``zone`` is the one in force where an event names none.
    """

    path: str
    zone: Zone
    events: Mapping[str, Event]
