"""The functions of a schedule file: ``every``, ``timezone``, ``defaults``, ``source``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Unpack

from clock.errors import NotReadError, ScheduleError
from clock.recurrence.duration import Duration
from clock.recurrence.phrase import Details, Period, read_rule
from clock.schedule.assembly import Declaration
from clock.schedule.builder import BUILDER, ScheduleBuilder
from clock.schedule.checks import LONGEST_STRING, time_zone
from clock.schedule.command import RUN, Command
from clock.schedule.option import check_options
from clock.schedule.options import DEFAULTS, OPTIONS, Defaults, EveryOptions, unknown_default
from clock.schedule.peers import unknown_event_option
from clock.schedule.run_file import IMPORTED_AGAIN
from clock.schedule.source import DEFAULT_EVERY, MAX_EVENTS, Stored, check_source
from clock.schedule.task import SCHEDULE_MODULE, task_name


def every(period: Period, task: Any, /, **options: Unpack[EveryOptions]) -> None:
    """Declare an event: run ``task`` every ``period``.

    ``period`` is an elapsed interval (``"90s"``, ``"10 minutes"``, a ``timedelta``), a calendar
    unit (``"hour"``, ``"day"``, ``"monday"``, ``"2 weeks"``, ``"month"``), ``cron("...")``,
    ``times(...)``, or several of them joined by ``|`` and ``-``. ``task`` is a dotted name, or a
    function that has one, or ``command("...")``. A mistake is noted with file and line, so that all
    of a file are found in one run; ``load`` raises them as a ScheduleError.
    """
    builder, path, line = _here("every")
    with builder.noting(path, line):
        checked = _checked(options, builder, path, line)
        if isinstance(task, Command):
            for option in ("args", "kwargs"):
                if option in checked:
                    raise ValueError(f"{option}= does not go with command(...), which has its own")
            checked = {"name": task.text[:LONGEST_STRING], **checked, "args": task.args()}
        task_ = RUN if isinstance(task, Command) else task_name(task)
        details = Details(*(checked.pop(option, None) for option in ("at", "on", "anchor")))
        rule = read_rule(period, details)
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
    """Set the zone of every event of this file that names none. A mistake is noted as by
    ``every``.
    """
    builder, path, line = _here("timezone")
    settings = builder.settings(path)
    with builder.noting(path, line):
        if settings.zone is not None:
            raise ValueError(f"timezone(...) was already called on line {settings.zone_line}")
        settings.zone, settings.zone_line = time_zone(name), line


def defaults(**options: Unpack[Defaults]) -> None:
    """Set options for the events of this file that do not set them. A mistake is noted as by
    ``every``.
    """
    builder, path, line = _here("defaults")
    settings = builder.settings(path)
    with builder.noting(path, line):
        if settings.defaults_line:
            raise ValueError(f"defaults(...) was already called on line {settings.defaults_line}")
        settings.defaults = check_options(options, DEFAULTS, unknown_default)
        settings.defaults_line = line


def _checked(
    options: Mapping[str, Any], builder: ScheduleBuilder, path: str, line: int
) -> dict[str, Any]:
    """The options as they are kept. Raises ValueError for the last wrong one; those before it are
    noted.
    """
    try:
        return check_options(options, OPTIONS, unknown_event_option)
    except ValueError:
        wrong = []
        for name, value in options.items():
            try:
                check_options({name: value}, OPTIONS, unknown_event_option)
            except ValueError as error:
                wrong.append(error)
        *noted, last = wrong
        builder.mistakes += [ScheduleError(path, line, str(error)) for error in noted]
        raise last from None


def source(
    name: str,
    rows: Callable[[], Iterable[Mapping[str, Any]]] | Stored,
    /,
    *,
    every: Duration = DEFAULT_EVERY,
    tasks: Sequence[str],
    queues: Sequence[str] | None = None,
    max_events: int = MAX_EVENTS,
) -> None:
    """Declare a source of events: ``rows`` is a function that returns them, each a mapping of the
    words of ``every``, or ``stored()``.

    The function is asked every ``every``, beside the clock. ``tasks`` and ``queues`` are patterns
    (``"tasks.crawl.*"``) of what its rows may name, ``max_events`` how many rows it may return.
    A mistake is noted as by ``every``.
    """
    builder, path, line = _here("source")
    with builder.noting(path, line):
        declared = check_source(
            name, rows, every=every, tasks=tasks, queues=queues, max_events=max_events
        )
        builder.declare_source(replace(declared, path=path, line=line))


def _here(word: str) -> tuple[ScheduleBuilder, str, int]:
    """The current builder, and the place in the file that called ``word``."""
    frame = sys._getframe(2)
    path, line = frame.f_code.co_filename, frame.f_lineno
    builder = BUILDER.get()
    if builder is None:
        raise NotReadError(
            path, line, f"{word}(...) only declares; start this file with 'clock {path}'"
        )
    if frame.f_globals.get("__name__") != SCHEDULE_MODULE and builder.is_main(path):
        raise NotReadError(
            path,
            line,
            IMPORTED_AGAIN,
        )
    return builder, path, line
