"""A diff of two schedules: the occurrences that one has and the other has not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice, zip_longest

from clock.schedule.event import Event, seconds
from clock.schedule.schedule import Schedule

MOST = 10_000
"""The most occurrences of an event that are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDiff:
    """One event that changes. Instants are aware UTC, in order.

    ``added`` and ``dropped`` are occurrences of one side alone, ``moved`` pairs of an old instant
    and the new one in its place. ``compared_until`` is None, or where ``MOST`` were reached.
    """

    name: str
    added: tuple[datetime, ...] = ()
    dropped: tuple[datetime, ...] = ()
    moved: tuple[tuple[datetime, datetime], ...] = ()
    compared_until: datetime | None = None


def diff(old: Schedule, new: Schedule, after: datetime, until: datetime) -> list[EventDiff]:
    """The events whose occurrences in ``(after, until]`` differ, those of ``new`` first.

    An event is the same where it keeps its name, whatever else changes; one that is not enabled has
    no occurrences. Of such an event, what is dropped and what is added is paired to moves: one for
    one where there are as many of both, else within each local day (of the new zone), in order; the
    rest is added or dropped. Raises ValueError for a naive datetime.
    """
    names = [*new.events, *(name for name in old.events if name not in new.events)]
    diffs = (
        _diff(name, old.events.get(name), new.events.get(name), after, until) for name in names
    )
    return [event for event in diffs if event.added or event.dropped or event.moved]


def _diff(
    name: str, old: Event | None, new: Event | None, after: datetime, until: datetime
) -> EventDiff:
    if old and new and old.recurrence == new.recurrence and old.enabled == new.enabled:
        return EventDiff(name=name)
    before, now = _occurrences(old, after, until), _occurrences(new, after, until)
    cut = min((side[MOST - 1] for side in (before, now) if len(side) > MOST), default=None)
    if cut is not None:
        before, now = ([instant for instant in side if instant <= cut] for side in (before, now))
    same = set(before) & set(now)
    dropped = [instant for instant in before if instant not in same]
    added = [instant for instant in now if instant not in same]
    moved = _pairs(dropped, added, new) if old and new else []
    gone, come = {pair[0] for pair in moved}, {pair[1] for pair in moved}
    return EventDiff(
        name=name,
        added=tuple(instant for instant in added if instant not in come),
        dropped=tuple(instant for instant in dropped if instant not in gone),
        moved=tuple(moved),
        compared_until=cut,
    )


def _occurrences(event: Event | None, after: datetime, until: datetime) -> list[datetime]:
    if event is None or not event.enabled:
        return []
    return list(islice(event.occurrences(after, until), MOST + 1))


def _pairs(
    dropped: list[datetime], added: list[datetime], event: Event
) -> list[tuple[datetime, datetime]]:
    if len(dropped) == len(added):
        return list(zip(dropped, added, strict=True))
    by_day = {day: list(group) for day, group in groupby(added, lambda at: _day(at, event))}
    return [
        (old, new)
        for day, group in groupby(dropped, lambda at: _day(at, event))
        for old, new in zip_longest(group, by_day.get(day, []))
        if old and new
    ]


def _day(instant: datetime, event: Event) -> int:
    at = seconds(instant)
    return (at + event.zone.offset(at)) // 86_400
