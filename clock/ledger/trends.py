"""What was enqueued, done and failed over time, and how long it waited: counters of queues and
events, a few hashes that expire.

A counter is added up in the process, and written now and then with others. ``trends.lua`` says how
it is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from redis import Redis
from redis.client import Pipeline

from clock import keys
from clock.connection.scripts import script

MINUTE, HOUR, DAY = 60, 3_600, 86_400

PART = 500
"""Counters of queues and events that one call of the script writes; Lua takes few more at once."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A kind of hash: how its keys begin, the form of the rest of a key (the span of time that it
    has), how many seconds each of its cells stands for, and for how many the hash is kept, at least
    since its first cell.
    """

    name: str
    span: str
    cell: int
    ttl: int

    def hash_at(self, at: int) -> str:
        """The end of the key of the hash that has the instant ``at`` (UTC seconds since 1970)."""
        return f"{self.name}:{datetime.fromtimestamp(at, UTC):{self.span}}"

    def number(self, at: int) -> int:
        """Which cell of its hash has the instant ``at``."""
        if self.cell == DAY:
            return datetime.fromtimestamp(at, UTC).day
        return at // self.cell % (DAY // HOUR if self.cell == HOUR else HOUR // MINUTE)


QUEUE_MINUTES = Scale("minutes", "%Y-%m-%dT%H", MINUTE, DAY + 2 * HOUR)
"""A field is a queue, and a hash an hour."""

EVENT_HOURS = Scale("hours", "%Y-%m-%d", HOUR, 9 * DAY)
"""A field is an event, and a hash a day."""

QUEUE_DAYS = Scale("queue_days", "%Y-%m", DAY, 397 * DAY)
"""A field is a queue, and a hash a month."""

EVENT_DAYS = Scale("event_days", "%Y-%m", DAY, 397 * DAY)
"""A field is an event, and a hash a month."""

ALL_MINUTES = Scale("all", "%Y-%m-%d", MINUTE, 9 * DAY)
"""A field is an hour, with the jobs of all events enqueued in it, and a hash a day."""


SCALES = (QUEUE_MINUTES, QUEUE_DAYS, EVENT_HOURS, EVENT_DAYS, ALL_MINUTES)

_Counts = tuple[int, int, int, float]
_Fields = dict[str, _Counts]


class TrendCounts:
    """Counts of an application that are not written yet."""

    def __init__(self, app: str) -> None:
        self._app = app
        self._counts: dict[tuple[str, str | None, int], _Counts] = {}

    def __len__(self) -> int:
        return len(self._counts)

    def add(
        self,
        queue: str,
        event: str | None,
        at: float,
        *,
        enqueued: int = 0,
        done: int = 0,
        failed: int = 0,
        waited: float = 0.0,
    ) -> None:
        """Count jobs on ``queue``, of ``event`` if they are of one, at the instant ``at`` (UTC
        seconds since 1970); ``waited`` is in seconds.
        """
        key = (queue, event, int(at) // MINUTE)
        waited = max(0.0, waited)
        before = self._counts.get(key)
        if before is not None:
            enqueued += before[0]
            done += before[1]
            failed += before[2]
            waited += before[3]
        self._counts[key] = (enqueued, done, failed, waited)

    def add_all(self, other: TrendCounts) -> None:
        """Count what ``other`` has counted."""
        for (queue, event, minute), (enqueued, done, failed, waited) in other._counts.items():
            self.add(
                queue,
                event,
                minute * MINUTE,
                enqueued=enqueued,
                done=done,
                failed=failed,
                waited=waited,
            )

    def take(self, most: int = PART) -> TrendCounts:
        """Take ``most`` of them out, as counts of their own."""
        part = TrendCounts(self._app)
        for key in list(self._counts)[:most]:
            part._counts[key] = self._counts.pop(key)
        return part

    def clear(self) -> None:
        """Forget all of them."""
        self._counts.clear()

    def words(self) -> list[Any]:
        """The arguments of ``trends.lua`` that write them; at most ``PART`` may be there."""
        words: list[Any] = [keys.trends(self._app, ""), keys.TREND_FIELDS]
        for (scale, at), fields in self._cells().items():
            words += (scale.hash_at(at), scale.ttl, scale.number(at), len(fields))
            for name, (enqueued, done, failed, waited) in fields.items():
                words += (name, enqueued, done, failed, f"{waited:.3f}" if waited else 0)
        return words

    def write(self, connection: Redis | Pipeline) -> None:
        """Write them: one command, on a connection or as part of a pipeline."""
        if self._counts:
            connection.eval(script("clock.ledger", "trends.lua"), 0, *self.words())

    def _cells(self) -> dict[tuple[Scale, int], _Fields]:
        """What there is for each hash and cell, which an instant in it stands for."""
        cells: dict[tuple[Scale, int], _Fields] = {}
        minutes: dict[int, Sequence[_Fields]] = {}
        for (queue, event, minute), counts in self._counts.items():
            if minute not in minutes:
                at = minute * MINUTE
                minutes[minute] = [
                    cells.setdefault((scale, at // scale.cell * scale.cell), {}) for scale in SCALES
                ]
            of_queue, of_queue_day, of_event, of_event_day, of_all = minutes[minute]
            _add(of_queue, queue, counts)
            _add(of_queue_day, queue, counts)
            if event is not None:
                _add(of_event, event, counts)
                _add(of_event_day, event, counts)
                if counts[0]:
                    _add(of_all, str(minute // 60 % 24), counts)
        return {cell: fields for cell, fields in cells.items() if fields}


def _add(fields: _Fields, name: str, counts: _Counts) -> None:
    before = fields.get(name)
    if before is not None:
        enqueued, done, failed, waited = counts
        counts = (before[0] + enqueued, before[1] + done, before[2] + failed, before[3] + waited)
    fields[name] = counts


def enqueued_words(app: str, queue: str, event: str | None, at: float) -> Sequence[Any]:
    """The arguments of ``trends.lua`` that count one job as enqueued ``at`` that instant (UTC
    seconds since 1970).
    """
    return _enqueued_words(app, queue, event, int(at) // MINUTE)


@lru_cache(maxsize=256)
def _enqueued_words(app: str, queue: str, event: str | None, minute: int) -> Sequence[Any]:
    counts = TrendCounts(app)
    counts.add(queue, event, minute * MINUTE, enqueued=1)
    return tuple(counts.words())


@cache
def with_trends(source: str) -> str:
    """A script that can count: ``count_trends`` takes the arguments of ``trends.lua``."""
    return f"local function count_trends(ARGV) {script('clock.ledger', 'trends.lua')}\nend {source}"
