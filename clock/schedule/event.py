"""An event: one declaration of a schedule file, checked and complete."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from clock.recurrence.identity import identity
from clock.recurrence.jitter import Jittered, jittered
from clock.recurrence.recurrence import Mark, Recurrence, between, mark_of
from clock.recurrence.zone import Zone
from clock.schedule.condition_time import ConditionTime, condition_time

Overlap = Literal["allow", "skip", "replace"]


class RetryPolicy(NamedTuple):
    """How often a failed job is tried again, and after how many seconds each time."""

    max: int
    intervals: tuple[int, ...] = (0,)
    at_front: bool = False


class Callback(NamedTuple):
    """A function that RQ calls when a job ends: its dotted name, its own limit in seconds."""

    name: str
    timeout: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """The options of an event's jobs. Durations are seconds; None leaves RQ's own default.

    ``expires`` counts from the scheduled time. -1 means "without limit" for ``timeout`` and
    "for ever" for ``result_ttl`` and ``failure_ttl``, as it does to RQ.
    """

    queue: str = "default"
    timeout: int | None = None
    expires: int | None = None
    retry: RetryPolicy | None = None
    result_ttl: int | None = None
    failure_ttl: int = 604_800
    at_front: bool = False
    meta: Mapping[str, Any] = field(default_factory=dict, hash=False)
    description: str | None = None
    on_success: Callback | None = None
    on_failure: Callback | None = None
    max_running: int | None = None


ALL = 1000
"""How many missed occurrences ``catch_up="all"`` makes up at most; a number says another limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What keeps an occurrence from firing, and which missed occurrences are made up.

    ``catch_up`` is how many of the missed ones fire, the newest of them, oldest first; ``within``
    how many seconds late an occurrence may fire at most, None for any. ``overlap`` says what a job
    that still waits or runs means for the next; one that has waited for ``stuck_after`` seconds
    no longer counts.
    """

    catch_up: int = 1
    within: int | None = None
    overlap: Overlap = "allow"
    stuck_after: int = 86_400
    condition: Callable[[ConditionTime], object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What fires (``task``, ``args``, ``kwargs``), when (``recurrence``), and how (``job``,
    ``policy``).

    ``rule`` is the recurrence in its canonical spelling, ``jitter`` by how many seconds at most an
    occurrence is due later than its time. ``path`` and ``line`` say where it is declared, or its
    ``source``, empty for an event of the file itself. One that ``is_once`` has a single occurrence,
    and is removed after it.
    """

    name: str
    task: str
    rule: str
    recurrence: Recurrence
    zone: Zone
    args: tuple[Any, ...] = field(default=(), hash=False)
    kwargs: Mapping[str, Any] = field(default_factory=dict, hash=False)
    job: JobOptions = JobOptions()
    policy: Policy = Policy()
    enabled: bool = True
    jitter: int = 0
    path: str = ""
    line: int = 0
    source: str = ""
    is_once: bool = False

    def occurrences(self, after: datetime, until: datetime | None = None) -> Iterator[datetime]:
        """The scheduled instants later than ``after``, up to and including ``until``.

        Aware UTC, in order; endless where ``until`` is None and the recurrence is. Raises
        ValueError for a naive datetime.
        """
        start, end = seconds(after), None if until is None else seconds(until)
        return (
            datetime.fromtimestamp(instant, UTC) for instant in between(self.recurrence, start, end)
        )

    def mark(self, instant: int) -> Mark | None:
        """Whether the local time at ``instant`` (UTC seconds) was skipped or comes twice."""
        return mark_of(self.recurrence, self.zone, instant)

    def local(self, instant: int) -> datetime:
        """``instant`` (UTC seconds) on the event's own clock, see ``Zone.local``."""
        return self.zone.local(instant)

    def condition_time(self, instant: int) -> ConditionTime:
        """What a condition is asked about the occurrence at ``instant`` (UTC seconds)."""
        return condition_time(self.name, instant, self.recurrence, self.zone)

    def jittered(self, app: str) -> Jittered | None:
        """Its recurrence by when it is due in the application ``app``; None without ``jitter``."""
        return jittered(self.recurrence, self.jitter, self.name, app)

    def due_at(self, instant: int, app: str) -> int:
        """When the occurrence at ``instant`` (UTC seconds) is due in the application ``app``."""
        delays = self.jittered(app)
        return instant if delays is None else instant + delays.delay(instant)

    def identity(self) -> str:
        """The text that changes when the recurrence or ``enabled`` does; the ledger compares it."""
        return identity(self.recurrence) + ("" if self.enabled else " disabled")


def seconds(instant: datetime) -> int:
    """Whole UTC seconds since 1970 of an aware datetime; raises ValueError for a naive one."""
    if instant.tzinfo is None:
        raise ValueError(
            f"{instant.isoformat()} has no zone; use an aware datetime, as datetime.now(UTC)"
        )
    return math.floor(instant.timestamp())
