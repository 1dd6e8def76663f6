"""What an event would do: shown before it is stored, and when it was."""

from __future__ import annotations

from dataclasses import dataclass

from clock.observe.upcoming import Upcoming, next_occurrences
from clock.recurrence.sentence import sentence
from clock.schedule.event import Event

SHOWN = 5
"""Coming times of a preview."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """When an event fires: in ``words``, as times of the time zone ``zone``, and its next
    occurrences with their marks at clock changes.
    """

    words: str
    zone: str
    upcoming: tuple[Upcoming, ...]


def preview(event: Event, now: float, count: int = SHOWN) -> Preview:
    """The preview of ``event`` with its next ``count`` occurrences later than ``now`` (UTC seconds
    since 1970). The event of a row that people edit is that of ``Editor.check``, whose RowError
    has the field of a mistake.
    """
    return Preview(
        words="once" if event.is_once else sentence(event.recurrence),
        zone=event.zone.name,
        upcoming=tuple(next_occurrences(event.recurrence, event.zone, now, count)),
    )
