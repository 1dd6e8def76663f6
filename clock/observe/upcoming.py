"""The next occurrences of one event, and the jobs of all events by the minute."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from operator import add, mul

from clock.observe.status import EventStatus
from clock.recurrence.change import seams
from clock.recurrence.elapsed import Elapsed
from clock.recurrence.published import Published
from clock.recurrence.recurrence import Recurrence, between, mark_of
from clock.recurrence.zone import Zone

MINUTE = 60
DAY = 86_400

NAMED = 10
"""Events named of a minute, those with most occurrences in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """A future occurrence at ``at`` (UTC seconds since 1970), ``offset`` seconds east of UTC.

    ``mark`` is "gap" where it stands for a local time that is skipped, and "fold" where its local
    time comes twice. ``change`` is the instant of a clock change since the occurrence before it, or
    None.
    """

    at: int
    offset: int
    mark: str | None
    change: int | None


def coming(event: EventStatus, now: float, count: int) -> list[Upcoming]:
    """The next ``count`` occurrences of ``event`` later than ``now``, as far as they are known.

    Raises RecurrenceError where the recurrence does.
    """
    if event.recurrence is None:
        return []
    return next_occurrences(event.recurrence, event.description.zone, now, count)


def next_occurrences(recurrence: Recurrence, zone: Zone, now: float, count: int) -> list[Upcoming]:
    """The next ``count`` occurrences of ``recurrence`` later than ``now``.

    Raises RecurrenceError where the recurrence does.
    """
    occurrences, before = [], int(now)
    for at in islice(between(recurrence, before, None), count):
        change = next((seam for seam, _, _ in seams(zone, before, at)), None)
        mark = mark_of(recurrence, zone, at)
        occurrences.append(Upcoming(at=at, offset=zone.offset(at), mark=mark, change=change))
        before = at
    return occurrences


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """The minute from ``at`` (UTC seconds since 1970): how many jobs it will enqueue, and the
    events with most of them, at most ``NAMED``.
    """

    at: int
    count: int
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How many jobs each minute from ``start`` on will enqueue. ``worst`` are the fullest minutes,
    the fullest first; ``unknown`` are the events whose times are not, or not all, known.
    """

    start: int
    counts: Sequence[int]
    worst: tuple[Minute, ...]
    unknown: tuple[str, ...]

    @property
    def total(self) -> int:
        """The number of all jobs."""
        return sum(self.counts)


def load(events: Iterable[EventStatus], now: float, *, days: int = 7, worst: int = 5) -> Load:
    """The load of the ``days`` from the minute of ``now`` on, by all enabled ``events``; pauses and
    conditions are ignored.
    """
    start = int(now) // MINUTE * MINUTE
    until = start + days * DAY
    named: dict[Recurrence, list[str]] = {}
    unknown: list[str] = []
    for event in events:
        if not event.description.enabled or event.description.removed is not None:
            continue
        if event.recurrence is not None:
            named.setdefault(event.recurrence, []).append(event.name)
        if not _is_known(event.recurrence, until):
            unknown.append(event.name)
    counts = [0] * ((until - start) // MINUTE)
    counted: list[tuple[Sequence[int], list[str]]] = []
    for recurrence, names in named.items():
        try:
            own = _minutes(recurrence, start, until)
        except Exception:  # a stream of times is the user's code
            unknown += names
            continue
        counted.append((own, names))
        times = own if len(names) == 1 else map(partial(mul, len(names)), own)
        counts = list(map(add, counts, times))
    fullest = sorted(range(len(counts)), key=lambda minute: (-counts[minute], minute))[:worst]
    return Load(
        start=start,
        counts=counts,
        worst=tuple(
            _minute(start, minute, counts, counted) for minute in fullest if counts[minute]
        ),
        unknown=tuple(sorted(set(unknown))),
    )


def _is_known(recurrence: Recurrence | None, until: int) -> bool:
    if isinstance(recurrence, Published):
        return recurrence.knows(until)
    return recurrence is not None


def _minute(
    start: int,
    minute: int,
    counts: Sequence[int],
    counted: Sequence[tuple[Sequence[int], list[str]]],
) -> Minute:
    most = sorted((-own[minute], name) for own, names in counted if own[minute] for name in names)
    names = tuple(name for _, name in most[:NAMED])
    return Minute(at=start + minute * MINUTE, count=counts[minute], events=names)


def _minutes(recurrence: Recurrence, start: int, until: int) -> Sequence[int]:
    """How often ``recurrence`` fires in each minute of the span."""
    # Whole days, which stay the same while the span moves on.
    first = start // DAY
    minutes = array("H")
    for day in range(first, -(-until // DAY)):
        minutes += _minutes_of_day(recurrence, day)
    skipped = (start - first * DAY) // MINUTE
    return minutes[skipped : skipped + (until - start) // MINUTE]


@lru_cache(maxsize=8192)
def _minutes_of_day(recurrence: Recurrence, day: int) -> array[int]:
    counts, begin = array("H", bytes(2 * DAY // MINUTE)), day * DAY
    if isinstance(recurrence, Elapsed) and recurrence.period < MINUTE:
        for minute in range(len(counts)):
            at = begin + minute * MINUTE - 1 - recurrence.anchor
            counts[minute] = (at + MINUTE) // recurrence.period - at // recurrence.period
        return counts
    for at in between(recurrence, begin - 1, begin + DAY - 1):
        counts[(at - begin) // MINUTE] += 1
    return counts
