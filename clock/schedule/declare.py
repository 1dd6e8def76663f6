"""The functions of a schedule file: ``every``, ``timezone``, ``defaults``."""

from __future__ import annotations

import sys
from typing import Any, Unpack

from clock.errors import ScheduleError
from clock.recurrence.phrase import Details, Period, read_rule
from clock.schedule.builder import BUILDER, Declaration, ScheduleBuilder
from clock.schedule.checks import time_zone
from clock.schedule.option import check_options
from clock.schedule.options import DEFAULTS, OPTIONS, Defaults, EveryOptions, unknown_default
from clock.schedule.task import task_name


def every(period: Period, task: Any, /, **options: Unpack[EveryOptions]) -> None:
    """Declare an event: run ``task`` every ``period``.

    ``period`` is an elapsed interval (``"90s"``, ``"10 minutes"``, a ``timedelta``), a calendar
    unit (``"hour"``, ``"day"``, ``"monday"``, ``"2 weeks"``, ``"month"``), ``cron("...")``,
    ``times(...)``, or several of them joined by ``|`` and ``-``. ``task`` is a dotted name, or a
    function that has one. Raises ScheduleError, with file and line, for every mistake.
    """
    builder, path, line = _here("every")
    try:
        checked = check_options(options, OPTIONS)
        task_ = task_name(task)
        details = Details(*(checked.pop(option, None) for option in ("at", "on", "anchor")))
        rule = read_rule(period, details)
    except ValueError as error:
        raise ScheduleError(path, line, str(error)) from None
    builder.declare(
        Declaration(
            name=checked.pop("name", task_),
            task=task_,
            rule=rule,
            args=checked.pop("args", ()),
            kwargs=checked.pop("kwargs", {}),
            options=checked,
            path=path,
            line=line,
        )
    )


def timezone(name: str) -> None:
    """Set the zone of every event of this file that names none. Raises ScheduleError."""
    builder, path, line = _here("timezone")
    settings = builder.settings(path)
    if settings.zone is not None:
        raise ScheduleError(
            path, line, f"timezone(...) was already called on line {settings.zone_line}"
        )
    try:
        settings.zone, settings.zone_line = time_zone(name), line
    except ValueError as error:
        raise ScheduleError(path, line, str(error)) from None


def defaults(**options: Unpack[Defaults]) -> None:
    """Set options for the events of this file that do not set them. Raises ScheduleError."""
    builder, path, line = _here("defaults")
    settings = builder.settings(path)
    if settings.defaults_line:
        raise ScheduleError(
            path, line, f"defaults(...) was already called on line {settings.defaults_line}"
        )
    try:
        settings.defaults = check_options(options, DEFAULTS, unknown_default)
        settings.defaults_line = line
    except ValueError as error:
        raise ScheduleError(path, line, str(error)) from None


def _here(word: str) -> tuple[ScheduleBuilder, str, int]:
    """The current builder, and the place in the file that called ``word``."""
    frame = sys._getframe(2)
    path, line = frame.f_code.co_filename, frame.f_lineno
    builder = BUILDER.get()
    if builder is None:
        raise ScheduleError(
            path, line, f"{word}(...) only declares; start this file with 'clock {path}'"
        )
    return builder, path, line
