"""Reading a file of ``rq cron``: it is run, and what it registers is taken."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import rq.cron

from clock.errors import ScheduleError
from clock.importing.croniter_text import from_croniter
from clock.importing.function_name import function_name
from clock.importing.imported import Imported, ImportedEvent, LeftOut
from clock.importing.job_options import job_options
from clock.importing.literal import literal
from clock.schedule.import_path import import_path

_RESULT_TTL = 500
"""The default of ``register``, which is also RQ's own for each job."""


def read_rq_cron(path: str, *, zone: str) -> Imported:
    """Run the file at ``path`` and read what it registers; ``zone`` is that of ``rq cron``.

    Raises ScheduleError with the line for a file that cannot be run.
    """
    events: list[ImportedEvent] = []
    left_out: list[LeftOut] = []
    for line, given in _registered(path):
        source = f"{path}:{line}"
        if given.get("webhooks"):
            message = "webhooks= has no counterpart of one job; see docs/watchers.md"
            left_out.append(LeftOut(source, message))
        try:
            events.append(_event(source, given))
        except ValueError as error:
            left_out.append(LeftOut(source, str(error)))
    return Imported(zone=zone, events=tuple(events), left_out=tuple(left_out))


def _event(source: str, given: dict[str, Any]) -> ImportedEvent:
    task = function_name(given["func"])
    if bool(given.get("interval")) == bool(given.get("cron")):
        raise ValueError(f"{task}: exactly one of interval= and cron= is needed")
    ttl = given.get("result_ttl")
    return ImportedEvent(
        source=source,
        name=given.get("name") or task,
        default_name=task,
        period=from_croniter(given["cron"]) if given.get("cron") else literal(given["interval"]),
        task=literal(task),
        options=job_options(
            queue=given["queue_name"],
            args=list(given.get("args") or ()),
            kwargs=given.get("kwargs"),
            timeout=given.get("job_timeout"),
            expires=given.get("ttl"),
            result_ttl=None if ttl == _RESULT_TTL else ttl,
            failure_ttl=given.get("failure_ttl"),
            meta=given.get("meta"),
        ),
    )


def _registered(path: str) -> list[tuple[int, dict[str, Any]]]:
    """Each call of ``register``: its line in the file, and its arguments by their names."""
    try:
        source = Path(path).read_bytes()
    except OSError as error:
        raise ScheduleError(path, None, f"cannot be read: {error.strerror}") from None
    calls: list[tuple[int, dict[str, Any]]] = []
    module = ModuleType(_module_name(path))
    module.__file__ = path
    with import_path(Path(path).resolve().parent), _recording(path, calls):
        try:
            exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)  # noqa: S102
        except (Exception, SystemExit) as error:
            raise ScheduleError(
                path, _line(error, path), f"{type(error).__name__}: {error}"
            ) from None
    return calls


@contextmanager
def _recording(path: str, calls: list[tuple[int, dict[str, Any]]]) -> Iterator[None]:
    original: Callable[..., Any] = rq.cron.register
    signature = inspect.signature(original)

    def register(*args: Any, **kwargs: Any) -> dict[str, Any]:
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        calls.append((_calling_line(path), dict(given.arguments)))
        return dict(given.arguments)

    rq.cron.register = register  # the file may take it from there under any name
    try:
        yield
    finally:
        rq.cron.register = original


def _calling_line(path: str) -> int:
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename != path:
        frame = frame.f_back
    return 0 if frame is None else frame.f_lineno


def _line(error: BaseException, path: str) -> int | None:
    if isinstance(error, SyntaxError):
        return error.lineno
    line, step = None, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == path:
            line = step.tb_lineno
        step = step.tb_next
    return line


def _module_name(path: str) -> str:
    """The module that ``rq cron`` makes of the file, for the functions that it defines."""
    relative = os.path.relpath(path)
    if relative.startswith(os.pardir):
        return Path(path).stem
    return relative.removesuffix(".py").replace(os.sep, ".")
