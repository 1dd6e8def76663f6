"""Naming a task: the dotted name under which a worker will import it."""

from __future__ import annotations

import inspect
import re

SCHEDULE_MODULE = "__schedule__"
"""The ``__name__`` of a schedule file while it is read; no worker can import from it."""

_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")


def task_name(task: object) -> str:
    """The dotted name of a task given by name or as a function.

    Raises ValueError, in one sentence, for what a worker could not import: a lambda, a nested
    function, one from ``__main__`` or from the schedule file itself, a bound method, any other
    object.
    """
    if isinstance(task, str):
        if not _DOTTED.fullmatch(task):
            raise ValueError(
                f"{task!r} is not a dotted name; write the task as 'package.module.function'"
            )
        return task
    if not (inspect.isfunction(task) or inspect.isbuiltin(task)):
        raise ValueError(f"{task!r} is not a function; name the task as 'package.module.function'")
    module, name = task.__module__, task.__qualname__
    if "<lambda>" in name:
        raise ValueError(
            "a lambda has no name that a worker can import; write a function in a module"
        )
    if "<locals>" in name:
        raise ValueError(
            f"{name.rpartition('.')[2]!r} is defined inside another function; "
            "a worker cannot import it"
        )
    if module == "__main__":
        raise ValueError(
            f"{name!r} comes from __main__; a worker cannot import it, move it to a module"
        )
    if module == SCHEDULE_MODULE:
        raise ValueError(
            f"{name!r} is defined in the schedule file; "
            "a worker cannot import it, move it to a module"
        )
    return f"{module}.{name}"
