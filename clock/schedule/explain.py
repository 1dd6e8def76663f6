"""An event explained: a sentence, its next occurrences, the coming clock changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Literal

from clock.recurrence.change import Change, changes
from clock.recurrence.recurrence import Mark
from clock.recurrence.sentence import sentence
from clock.schedule.event import Event, seconds
from clock.schedule.notes import notes

YEAR = 366 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class UpcomingTime:
    """One coming occurrence: in UTC, in local time, and what a clock change has to do with it."""

    scheduled_at: datetime
    local: datetime
    mark: Mark | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockChange:
    """One clock change that skips or repeats a local time of the event.

    ``at`` is its instant in UTC, ``fires`` are the instants at which the event fires for what is
    skipped or comes twice, ``what`` says it in a sentence.
    """

    kind: Literal["gap", "fold"]
    at: datetime
    fires: tuple[datetime, ...]
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One event explained, as of one instant."""

    name: str
    sentence: str
    tz: str
    next: tuple[UpcomingTime, ...]
    changes: tuple[ClockChange, ...]
    notes: tuple[str, ...] = ()


def explain(event: Event, at: datetime, count: int = 5) -> Explanation:
    """``event`` in words, its next ``count`` occurrences after ``at``, its clock changes of a year.

    Raises ValueError for a naive ``at``, RecurrenceError where the recurrence does.
    """
    words = sentence(event.recurrence)
    off = "" if event.enabled else " (not enabled)"
    return Explanation(
        name=event.name,
        sentence=f"{words[0].upper()}{words[1:]}, in {event.zone.name}{off}.",
        tz=event.zone.name,
        next=tuple(_occurrence(event, instant) for instant in islice(event.occurrences(at), count)),
        changes=clock_changes(event, at),
        notes=notes(event, at),
    )


def clock_changes(event: Event, at: datetime) -> tuple[ClockChange, ...]:
    """The clock changes of the year after ``at`` that touch ``event``, in order."""
    start = seconds(at)
    return tuple(
        ClockChange(
            kind=change.kind,
            at=_utc(change.at),
            fires=tuple(map(_utc, change.fires)),
            what=_what(change, event),
        )
        for change in changes(event.recurrence, event.zone, start, start + YEAR)
    )


def _occurrence(event: Event, scheduled_at: datetime) -> UpcomingTime:
    instant = seconds(scheduled_at)
    return UpcomingTime(
        scheduled_at=scheduled_at, local=event.local(instant), mark=event.mark(instant)
    )


def _what(change: Change, event: Event) -> str:
    day = _utc(change.at + change.before).date()
    due = _spell([_clock(local) for local in change.due])
    fires = _spell([_offset_clock(event.local(instant)) for instant in change.fires])
    one = len(change.due) == 1
    if change.kind == "gap":
        skipped = f"on {day} {due} {'does' if one else 'do'} not exist"
        return f"{skipped}: fires at {fires} instead" if fires else f"{skipped}: does not fire"
    twice = f"on {day} {due} {'comes' if one else 'come'} twice"
    both = len(change.fires) == 2 * len(change.due)
    return f"{twice}: fires {'both times' if both else 'once'}, at {fires}"


def _spell(times: Sequence[str]) -> str:
    if len(times) > 4:
        return f"{times[0]} to {times[-1]} ({len(times)} times)"
    return " and ".join(times)


def _clock(local: int) -> str:
    shown = f"{_utc(local):%H:%M:%S}"
    return shown.removesuffix(":00")


def _offset_clock(local: datetime) -> str:
    return f"{local:%H:%M:%S}".removesuffix(":00") + local.isoformat()[-6:]


def _utc(instant: int) -> datetime:
    return datetime.fromtimestamp(instant, UTC)
