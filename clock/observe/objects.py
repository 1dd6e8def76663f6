"""JSON objects for the commands and the API.

Instants are strings in ISO 8601, in UTC; durations are seconds.
"""

from __future__ import annotations

from typing import Any

from clock.ledger.clocks import Life
from clock.ledger.pauses import Pause
from clock.observe.conflict import ClockConflict
from clock.observe.formatting import utc, utc_exact
from clock.observe.state import last_decision, last_lateness
from clock.observe.status import EventStatus


def clock_object(life: Life) -> dict[str, Any]:
    """A clock."""
    return {
        "host": life.host,
        "pid": life.pid,
        "version": life.version,
        "file": life.file,
        "serializer": life.serializer,
        "tz": life.zone,
        "events": life.events,
        "started": utc_exact(life.started),
        "last_tick": utc_exact(life.last_tick),
    }


def conflict_object(conflict: ClockConflict) -> dict[str, Any]:
    """A conflict of two clocks."""
    return {
        "clocks": [
            {"host": life.host, "pid": life.pid, "file": life.file} for life in conflict.clocks
        ],
        "events": list(conflict.events),
        "number": conflict.number,
    }


def pause_object(pause: Pause | None) -> dict[str, Any] | None:
    """A pause, or null."""
    if pause is None:
        return None
    return {
        "until": utc(pause.until),
        "reason": pause.reason,
        "by": pause.by,
        "since": utc(pause.since),
    }


def event_object(event: EventStatus) -> dict[str, Any]:
    """An event and its status."""
    description, record = event.description, event.record
    last = last_decision(record)
    return {
        "event": event.name,
        "state": event.state,
        "task": description.task,
        "every": description.rule,
        "sentence": description.sentence,
        "tz": description.zone.name,
        "queue": description.queue,
        "file": description.file,
        "enabled": description.enabled,
        "next": utc(event.next),
        "last_fired": utc(None if record is None else record.fired),
        "lateness": last_lateness(record),
        "last_decision": None if last is None else last.kind.name.lower(),
        "last_decided": utc(None if last is None else last.last),
        "overdue": None if event.overdue is None else round(event.overdue, 3),
        "paused": pause_object(event.pause),
        "counters": {} if record is None else record.counters,
    }
