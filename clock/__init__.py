"""The clock for Python applications on RQ: it reads a schedule file and only enqueues."""

from importlib import import_module

_HOMES = {
    "clock.embedding": ["Clock"],
    "clock.jobs.editing": ["events", "put", "remove"],
    "clock.errors": ["ClockError", "RecurrenceError", "ScheduleError"],
    "clock.recurrence.combination": ["period"],
    "clock.recurrence.cron_rule": ["cron"],
    "clock.recurrence.holidays": ["holidays"],
    "clock.recurrence.stream": ["times"],
    "clock.schedule.command": ["command"],
    "clock.schedule.event": ["Event"],
    "clock.schedule.load": ["load"],
    "clock.schedule.schedule": ["Schedule"],
    "clock.schedule.declare": ["defaults", "every", "source", "timezone"],
    "clock.schedule.source": ["stored"],
}
"""What each module gives. Imported when it is asked for, so that a worker or a web application
waits for nothing of a schedule, and a schedule for nothing it does not use; the same as eager
imports is in ``__init__.pyi``, for those who read types."""

_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = list(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'clock' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
