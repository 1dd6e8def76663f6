"""The clock for Python applications on RQ: it reads a schedule file and only enqueues."""

from clock.embedding import Clock
from clock.errors import ClockError, RecurrenceError, ScheduleError
from clock.schedule.event import Event
from clock.schedule.load import load
from clock.schedule.schedule import Schedule
from clock.schedule.words import cron, defaults, every, timezone

__all__ = [
    "Clock",
    "ClockError",
    "Event",
    "RecurrenceError",
    "Schedule",
    "ScheduleError",
    "cron",
    "defaults",
    "every",
    "load",
    "timezone",
]
