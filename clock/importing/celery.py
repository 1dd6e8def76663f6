"""Reading ``beat_schedule`` of a Celery application. Celery is the application's, not ours."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from clock.errors import SettingsError
from clock.importing.both_days import both_days
from clock.importing.imported import Imported, ImportedEvent, LeftOut
from clock.importing.job_options import job_options
from clock.importing.literal import literal
from clock.recurrence.cron import parse_cron
from clock.schedule.import_path import import_path

_CRONTAB = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
_TAKEN = {"queue", "expires"}
"""The options of a message that have a counterpart."""


def read_celery(address: str, *, local: str) -> Imported:
    """Import the application at ``address``, ``module:app``, and read its schedule.

    ``local`` is the zone of the machine, for an application with ``enable_utc=False``. Raises
    SettingsError where there is no such application.
    """
    module_name, _, name = address.partition(":")
    with import_path(Path(os.getcwd())):
        try:
            app = getattr(importlib.import_module(module_name), name or "app")
            entries: Mapping[str, Mapping[str, Any]] = app.conf.beat_schedule
            zone = app.conf.timezone or ("UTC" if app.conf.enable_utc else local)
        except Exception as error:
            raise SettingsError(
                f"{address!r} is not a Celery application that can be imported, as in 'shop:app': "
                f"{type(error).__name__}: {error}"
            ) from None
        events: list[ImportedEvent] = []
        left_out: list[LeftOut] = []
        for key, entry in entries.items():
            source = f"beat_schedule[{str(key)!r}]"
            try:
                events.append(_event(source, str(key), entry, app))
            except ValueError as error:
                left_out.append(LeftOut(source, str(error)))
                continue
            left_out += (LeftOut(source, message) for message in _without_counterpart(entry))
    return Imported(zone=str(zone), events=tuple(events), left_out=tuple(left_out))


def _event(source: str, key: str, entry: Mapping[str, Any], app: Any) -> ImportedEvent:
    options = entry.get("options") or {}
    period, days = _period(entry["schedule"])
    task = _task(str(entry["task"]), app)
    expires = options.get("expires")
    if not isinstance(expires, (int, float, timedelta, type(None))):
        raise ValueError(f"expires={expires!r} is an instant; write a duration, as in expires='1h'")
    return ImportedEvent(
        source=source,
        name=key,
        default_name=task,
        period=period,
        task=literal(task),
        options=days
        | job_options(
            queue=options.get("queue"),
            args=list(entry.get("args") or ()),
            kwargs=entry.get("kwargs"),
            expires=expires.total_seconds() if isinstance(expires, timedelta) else expires,
        ),
    )


def _without_counterpart(entry: Mapping[str, Any]) -> list[str]:
    """What an entry has that is not written, though the entry is."""
    names = [name for name in (entry.get("options") or {}) if name not in _TAKEN]
    names += ["relative"] if entry.get("relative") else []
    return [f"{name}= has no counterpart" for name in names]


def _task(name: str, app: Any) -> str:
    """The function of a task, by its dotted name: a task may be registered under another one."""
    task = app.tasks.get(name)
    if task is None:
        return name
    function = getattr(task, "__wrapped__", None) or task.run
    return f"{function.__module__}.{function.__qualname__}"


def _period(schedule: Any) -> tuple[str, dict[str, str]]:
    """The period of an entry, and ``days=``, as source."""
    kind = type(schedule).__name__
    if isinstance(schedule, (int, float, timedelta)):
        return _interval(schedule), {}
    if kind == "crontab":
        fields = [_field(schedule, name, index) for index, name in enumerate(_CRONTAB)]
        line, days = both_days(fields)
        parse_cron(line)
        return literal(line), days
    if kind == "schedule":
        return _interval(schedule.run_every), {}
    if kind == "solar":
        raise ValueError(
            f"solar({schedule.event!r}, ...) has no counterpart; write a function of the times, as "
            "in every(times(function), ...)"
        )
    raise ValueError(f"a schedule of the class {kind} has no counterpart")


def _interval(value: float | timedelta) -> str:
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if seconds < 1 or seconds != int(seconds):
        raise ValueError(f"an interval of {seconds:g} seconds is not a whole number of them")
    return literal(int(seconds))


def _field(schedule: Any, name: str, index: int) -> str:
    """A field of a crontab: its text where this clock reads it alike, else its values."""
    values = {int(value) for value in getattr(schedule, name)}
    text = str(getattr(schedule, f"_orig_{name}")).lower().replace(" ", "")
    if text == "*" or (text.startswith("*/") and "," not in text):
        return text
    whole = {0: 60, 1: 24, 2: 31, 3: 12, 4: 7}[index]
    return "*" if len(values) == whole else ",".join(map(str, sorted(values)))
