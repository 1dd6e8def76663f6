"""Resolving tasks: each name must lead to a function, the same one that a worker finds."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from clock.errors import NotReadError, ScheduleError
from clock.schedule.event import Event
from clock.schedule.import_path import import_path
from clock.schedule.schedule import Schedule


def resolve_tasks(schedule: Schedule) -> tuple[list[str], list[ScheduleError]]:
    """Import every task and callback of ``schedule``; returns warnings, one sentence each.

    A mistake, at its event's line, is each name that leads nowhere, to something that cannot be
    called, or to a function that does not take the event's arguments.
    """
    mistakes: list[ScheduleError] = []
    with import_path(Path(schedule.path).resolve().parent):
        for event in schedule.events.values():
            try:
                _check_arguments(event, _resolve(event, event.task))
            except ScheduleError as error:
                mistakes.append(error)
            for callback in (event.job.on_success, event.job.on_failure):
                try:
                    if callback is not None:
                        _resolve(event, callback.name)
                except ScheduleError as error:
                    mistakes.append(error)
        packages = dict.fromkeys(event.task.partition(".")[0] for event in schedule.events.values())
        warnings = [warning for package in packages if (warning := _shadowed(package, schedule))]
    return warnings, mistakes


def _resolve(event: Event, name: str) -> Callable[..., Any]:
    try:
        target = _import(name)
    except NotReadError as error:
        raise ScheduleError(
            event.path,
            event.line,
            f"{name!r} cannot be imported: it imports the schedule file {error.path}; "
            "move what both need to a third module",
        ) from None
    except (Exception, SystemExit) as error:  # importing may raise anything
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ScheduleError(
            event.path, event.line, f"{name!r} cannot be imported: {reason}"
        ) from None
    if not callable(target):
        raise ScheduleError(
            event.path, event.line, f"{name!r} is {type(target).__name__}, not a function"
        )
    function: Callable[..., Any] = target
    return function


def _import(name: str) -> Any:
    """Import the longest module in ``name`` and follow the rest as attributes, as RQ does."""
    module, attributes = name, list[str]()
    while True:
        try:
            target = importlib.import_module(module)
            break
        except ModuleNotFoundError as error:
            if (
                error.name is None
                or not f"{module}.".startswith(f"{error.name}.")
                or "." not in module
            ):
                raise
            module, _, last = module.rpartition(".")
            attributes.insert(0, last)
    for attribute in attributes:
        target = getattr(target, attribute)
    return target


def _check_arguments(event: Event, task: Callable[..., Any]) -> None:
    try:
        signature = inspect.signature(task)
    except (TypeError, ValueError):  # some built-in functions have no signature
        return
    try:
        signature.bind(*event.args, **event.kwargs)
    except TypeError as error:
        raise ScheduleError(
            event.path, event.line, f"{event.task!r} does not take these arguments: {error}"
        ) from None


def _shadowed(package: str, schedule: Schedule) -> str | None:
    """The warning where a worker, which looks in its own folder last, imports another package."""
    here = os.getcwd()
    installed = [
        path for path in sys.path[2:] if path and os.path.realpath(path) != os.path.realpath(here)
    ]
    spec = PathFinder.find_spec(package, [*installed, here])
    local = PathFinder.find_spec(package, [here, str(Path(schedule.path).resolve().parent)])
    if spec is None or spec.origin is None:
        return None
    # Any other package may well be an installed one; `tasks` is the name of an application's own.
    if spec.origin == local.origin if local is not None else package != "tasks":
        return None
    return (
        f"{package!r} resolves to {spec.origin}, outside of this project; "
        "a worker would import that one"
    )
