"""What was enqueued, done and failed over time, and how long it waited, of queues and events.

Only workers of this package count what they end, and clocks and ``clock.jobs`` what they enqueue.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from redis import Redis

from clock import keys
from clock.connection.errors import server_errors
from clock.ledger.trends import (
    ALL_MINUTES,
    DAY,
    EVENT_DAYS,
    EVENT_HOURS,
    HOUR,
    MINUTE,
    QUEUE_DAYS,
    QUEUE_MINUTES,
    Scale,
)
from clock.ledger.unreadable import execute, skip, texts

_CELL = struct.Struct("<BIIId")
_MOST_CELLS = 60


class Of(StrEnum):
    """What is counted."""

    QUEUE = "queue"
    EVENT = "event"


class Span(StrEnum):
    """How far back."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Bucket:
    """What was counted from the instant ``at`` on (UTC seconds since 1970), for one step. The jobs
    ``done`` and ``failed`` had ``waited`` on their queue for so many seconds in all.
    """

    at: int
    enqueued: int = 0
    done: int = 0
    failed: int = 0
    waited: float = 0.0

    @property
    def wait(self) -> float | None:
        """Seconds that they waited on average; None for none."""
        ended = self.done + self.failed
        return self.waited / ended if ended else None

    @property
    def is_counted(self) -> bool:
        """Whether there was anything."""
        return bool(self.enqueued or self.done or self.failed)

    def plus(self, other: Bucket) -> Bucket:
        """Both together, from this instant on."""
        return Bucket(
            self.at,
            self.enqueued + other.enqueued,
            self.done + other.done,
            self.failed + other.failed,
            self.waited + other.waited,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """The buckets of a queue or event, ``step`` seconds each, the oldest first. The last of them
    has now.
    """

    name: str
    step: int
    buckets: Sequence[Bucket]

    @property
    def total(self) -> Bucket:
        """All of them together."""
        counts = [
            (bucket.enqueued, bucket.done, bucket.failed, bucket.waited) for bucket in self.buckets
        ]
        enqueued, done, failed, waited = map(sum, zip(*counts, strict=True))
        return Bucket(self.buckets[0].at, enqueued, done, failed, waited)


_READS: Mapping[tuple[Of, Span], tuple[Scale, int, int]] = {
    (Of.QUEUE, Span.HOUR): (QUEUE_MINUTES, MINUTE, 60),
    (Of.QUEUE, Span.DAY): (QUEUE_MINUTES, HOUR, 24),
    (Of.QUEUE, Span.WEEK): (QUEUE_DAYS, DAY, 7),
    (Of.QUEUE, Span.MONTH): (QUEUE_DAYS, DAY, 31),
    (Of.QUEUE, Span.YEAR): (QUEUE_DAYS, DAY, 365),
    (Of.EVENT, Span.HOUR): (EVENT_HOURS, HOUR, 2),
    (Of.EVENT, Span.DAY): (EVENT_HOURS, HOUR, 24),
    (Of.EVENT, Span.WEEK): (EVENT_HOURS, HOUR, 168),
    (Of.EVENT, Span.MONTH): (EVENT_DAYS, DAY, 31),
    (Of.EVENT, Span.YEAR): (EVENT_DAYS, DAY, 365),
}
"""Where each is read, its step in seconds, and how many buckets it has."""


def read_trends(
    connection: Redis, app: str, of: Of, names: Iterable[str], span: Span, now: float
) -> dict[str, Trend]:
    """The trends of the queues or events ``names`` over a ``span`` that ends ``now`` (UTC seconds
    since 1970), in one round trip. Raises ServerError.
    """
    scale, step, count = _READS[of, span]
    first = int(now) // step * step - (count - 1) * step
    asked = list(dict.fromkeys(names))
    cells = _read(connection, app, scale, asked, range(first, first + count * step, scale.cell))
    trends = {}
    empty = [Bucket(first + number * step) for number in range(count)]
    for name, counted in zip(asked, cells, strict=True):
        buckets = empty.copy()
        for cell in counted:
            number = (cell.at - first) // step
            if 0 <= number < count:
                buckets[number] = buckets[number].plus(cell)
        trends[name] = Trend(name=name, step=step, buckets=buckets)
    return trends


def read_names(connection: Redis, app: str, of: Of, now: float) -> list[str]:
    """The queues or events that something was counted of since the begin of the last month, by
    name. Raises ServerError.
    """
    scale = QUEUE_DAYS if of is Of.QUEUE else EVENT_DAYS
    ends = dict.fromkeys(scale.hash_at(int(now) - days * DAY) for days in (0, 28))
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        for end in ends:
            pipeline.hkeys(keys.trends(app, end))
        replies = zip(ends, execute(pipeline), strict=True)
        names = {name for end, fields in replies for name in texts(keys.trends(app, end), fields)}
    return sorted(names)


def read_enqueued(connection: Redis, app: str, first: int, last: int) -> dict[int, int]:
    """How many jobs of events were enqueued in each minute from ``first`` on and before ``last``
    (UTC seconds since 1970), by the instant at which it began; those without any are left out.
    Eight days are there. Raises ServerError.
    """
    hours = [str(hour) for hour in range(24)]
    read = _read(connection, app, ALL_MINUTES, hours, range(first, last, MINUTE))
    counted: dict[int, int] = {}
    for hour, cells in enumerate(read):
        for cell in cells:
            at = cell.at + hour * HOUR
            if first <= at < last and cell.enqueued:
                counted[at] = counted.get(at, 0) + cell.enqueued
    return counted


def _read(
    connection: Redis, app: str, scale: Scale, names: Sequence[str], instants: range
) -> list[list[Bucket]]:
    """The cells of each of ``names`` in the hashes of ``scale`` that have the ``instants``."""
    ends = dict.fromkeys(map(scale.hash_at, instants))
    cells: list[list[Bucket]] = [[] for _ in names]
    if not names:
        return cells
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        for end in ends:
            pipeline.hmget(keys.trends(app, end), list(names))
        for end, values in zip(ends, execute(pipeline), strict=True):
            begin = _begin(scale, end)
            for name, value, own in zip(names, values or (), cells, strict=False):
                try:
                    own.extend(_cells(scale, begin, value))
                except (ValueError, TypeError, struct.error) as error:
                    skip(keys.trends(app, end), error, name)
    return cells


def _begin(scale: Scale, end: str) -> int:
    span = end.partition(":")[2]
    return int(datetime.strptime(span, scale.span).replace(tzinfo=UTC).timestamp())


def _cells(scale: Scale, begin: int, value: Any) -> list[Bucket]:
    if value is None:
        return []
    if len(value) % _CELL.size or len(value) > _MOST_CELLS * _CELL.size:
        raise ValueError("not counters")
    cells = []
    for number, enqueued, done, failed, waited in _CELL.iter_unpack(value):
        # Days of a month count from 1.
        at = begin + (number - (scale.cell == DAY)) * scale.cell
        seconds = waited if math.isfinite(waited) and waited > 0 else 0.0
        cells.append(Bucket(at, enqueued, done, failed, seconds))
    return cells
