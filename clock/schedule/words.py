"""The words of a schedule file, ``every``, ``cron``, ``timezone``, ``defaults``: they declare."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any, Unpack

from clock.errors import RecurrenceError, ScheduleError
from clock.recurrence.cron import Seconds, parse_cron
from clock.recurrence.period import Span, parse_period
from clock.recurrence.rule import CronRule, Rule, SpanRule, calendar_rule
from clock.schedule.options import DEFAULTS, OPTIONS, Defaults, Options, check_options, check_zone
from clock.schedule.reading import READING, Declaration, Reading
from clock.schedule.task import task_name


def every(period: str | timedelta | CronRule, task: Any, /, **options: Unpack[Options]) -> None:
    """Declare an event: run ``task`` every ``period``.

    ``period`` is an elapsed interval (``"90s"``, ``"10 minutes"``, a ``timedelta``), a calendar
    unit (``"hour"``, ``"day"``, ``"monday"``, ``"2 weeks"``, ``"month"``) or ``cron("...")``.
    ``task`` is a dotted name, or a function that has one. Raises ScheduleError, with file and
    line, for every mistake.
    """
    reading, path, line = _here("every")
    try:
        checked = check_options(options, OPTIONS)
        name = task_name(task)
        rule = _rule(period, checked)
    except ValueError as error:
        raise ScheduleError(path, line, str(error)) from None
    reading.declare(Declaration(checked.get("name", name), name, rule, checked, path, line))


def cron(expression: str, *, seconds: Seconds | None = None) -> CronRule:
    """A period in cron notation: five fields, or six with ``seconds="first"`` or ``"last"``.

    Raises RecurrenceError, quoting the word that is wrong.
    """
    parse_cron(expression, seconds)
    return CronRule(" ".join(expression.lower().split()), seconds)


def timezone(name: str) -> None:
    """Set the zone of every event of this file that names none. Raises ScheduleError."""
    reading, path, line = _here("timezone")
    settings = reading.settings(path)
    if settings.zone is not None:
        raise ScheduleError(
            path, line, f"timezone(...) was already called on line {settings.zone_line}"
        )
    try:
        settings.zone, settings.zone_line = check_zone(name), line
    except ValueError as error:
        raise ScheduleError(path, line, str(error)) from None


def defaults(**options: Unpack[Defaults]) -> None:
    """Set options for the events of this file that do not set them. Raises ScheduleError."""
    reading, path, line = _here("defaults")
    settings = reading.settings(path)
    if settings.defaults_line:
        raise ScheduleError(
            path, line, f"defaults(...) was already called on line {settings.defaults_line}"
        )
    try:
        settings.defaults, settings.defaults_line = check_options(options, DEFAULTS), line
    except ValueError as error:
        raise ScheduleError(path, line, str(error)) from None


def _here(word: str) -> tuple[Reading, str, int]:
    """The reading in progress, and the place in the file that called the word."""
    frame = sys._getframe(2)
    path, line = frame.f_code.co_filename, frame.f_lineno
    reading = READING.get()
    if reading is None:
        raise ScheduleError(
            path, line, f"{word}(...) only declares; start this file with 'clock {path}'"
        )
    return reading, path, line


def _rule(period: str | timedelta | CronRule, options: dict[str, Any]) -> Rule:
    at, on, anchor = (options.pop(option, None) for option in ("at", "on", "anchor"))
    if isinstance(period, CronRule):
        for option, value in (("at", at), ("on", on), ("anchor", anchor)):
            if value is not None:
                raise RecurrenceError(
                    f"{option}= does not go with cron(...), which says when by itself"
                )
        return period
    unit = parse_period(period)
    if isinstance(unit, Span):
        for option, value in (("at", at), ("on", on)):
            if value is not None:
                raise RecurrenceError(
                    f"{option}= does not go with {period!r}, "
                    "which is elapsed time and has no fixed hour; "
                    f"write {option}= with 'hour', 'day', a weekday or 'month', or use cron(...)"
                )
        return SpanRule(unit, anchor)
    return calendar_rule(unit, at=at, on=on, anchor=anchor)
