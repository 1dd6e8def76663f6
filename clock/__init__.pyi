"""The clock for Python applications on RQ: it reads a schedule file and only enqueues."""

from clock.embedding import Clock
from clock.errors import ClockError, RecurrenceError, ScheduleError
from clock.jobs.editing import events, put, remove
from clock.recurrence.combination import period
from clock.recurrence.cron_rule import cron
from clock.recurrence.holidays import holidays
from clock.recurrence.stream import times
from clock.schedule.command import command
from clock.schedule.declare import defaults, every, source, timezone
from clock.schedule.event import Event
from clock.schedule.load import load
from clock.schedule.schedule import Schedule
from clock.schedule.source import stored

__all__ = [
    "Clock",
    "ClockError",
    "Event",
    "RecurrenceError",
    "Schedule",
    "ScheduleError",
    "command",
    "cron",
    "defaults",
    "events",
    "every",
    "holidays",
    "load",
    "period",
    "put",
    "remove",
    "source",
    "stored",
    "times",
    "timezone",
]
