"""What changed in an application between two readings of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from redis import Redis

from clock.observe import objects
from clock.observe.attention import Attention, attention
from clock.observe.reading import read_status
from clock.observe.rq.queues import QueueState, read_queues
from clock.observe.status import AppStatus, EventStatus


@dataclass(frozen=True, kw_only=True)
class Reading:
    """An application as it was read at ``status.now``."""

    status: AppStatus
    queues: Sequence[QueueState]

    @cached_property
    def events(self) -> Mapping[str, EventStatus]:
        """The events by their names."""
        return {event.name: event for event in self.status.events}

    @cached_property
    def condition(self) -> Mapping[str, Any]:
        """The object of the status, without what moves with the time alone."""
        whole = objects.status_object(self.status)
        clocks = [{**clock, "last_tick": None} for clock in whole["clocks"]]
        return {**whole, "last_tick": None, "clocks": clocks}

    @cached_property
    def attention(self) -> tuple[Attention, ...]:
        """What needs attention; the lines of failing events have no more than the error's class."""
        enabled = (event for event in self.status.events if event.description.enabled)
        used = {event.description.queue for event in enabled}
        idle = [queue.name for queue in self.queues if queue.name in used and not queue.workers]
        return attention(self.status, sorted(idle), self.status.now)

    def event(self, name: str) -> dict[str, Any]:
        """The object of the event ``name``."""
        return objects.event_and_run_object(self.events[name], self.status.runs.get(name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """``events`` are new or differ, ``removed`` are no longer there; ``status``, ``queues`` and
    ``attention`` say whether these differ. That time passed is not a change.
    """

    status: bool
    events: Sequence[str]
    removed: Sequence[str]
    queues: bool
    attention: bool

    def __bool__(self) -> bool:
        are_others = self.status or self.queues or self.attention
        return bool(are_others or self.events or self.removed)


def read_all(connection: Redis, app: str, now: float, *, tolerance: float) -> Reading:
    """All that is compared of ``app`` at ``now`` (UTC seconds since 1970), in six round trips.

    An event is overdue from ``tolerance`` seconds on. Raises ServerError.
    """
    status = read_status(connection, app, now, tolerance=tolerance)
    used = {event.description.queue for event in status.events}
    return Reading(status=status, queues=read_queues(connection, now, used))


def changes(before: Reading, after: Reading) -> Changes:
    """What changed between two readings of one application."""
    return Changes(
        status=before.condition != after.condition,
        events=[name for name in after.events if _differs(name, before, after)],
        removed=[name for name in before.events if name not in after.events],
        queues=_counts(before) != _counts(after),
        attention=_reasons(before) != _reasons(after),
    )


def _differs(name: str, before: Reading, after: Reading) -> bool:
    was, is_ = before.events.get(name), after.events[name]
    if was is None or before.status.runs.get(name) != after.status.runs.get(name):
        return True
    # An overdue event is overdue by more each second.
    return replace(was, overdue=None) != replace(is_, overdue=None)


def _reasons(reading: Reading) -> list[tuple[str, str]]:
    return [(item.kind, item.name) for item in reading.attention]


def _counts(reading: Reading) -> list[tuple[object, ...]]:
    return [_counted(queue) for queue in reading.queues]


def _counted(queue: QueueState) -> tuple[object, ...]:
    return (
        queue.name, queue.waiting, queue.head is None, queue.started, queue.scheduled,
        queue.deferred, queue.finished, queue.failed, queue.canceled, queue.ready,
        queue.rate_limited, queue.workers, queue.is_broken,
    )  # fmt: skip
