"""Reading a schedule file."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from clock.errors import RecurrenceError, ScheduleError, SettingsError
from clock.schedule.builder import BUILDER, ScheduleBuilder
from clock.schedule.import_path import import_path, is_own
from clock.schedule.schedule import Schedule
from clock.schedule.task import SCHEDULE_MODULE


def load(
    path: str | os.PathLike[str],
    *,
    serializer: str = "pickle",
    root: str | os.PathLike[str] | None = None,
) -> Schedule:
    """Read the schedule file at ``path``.

    The file is run in a namespace of its own, with its folder and the current folder first on the
    import path; what it imports from its own folder is forgotten afterwards, so that reading twice
    gives the same, and reading two files does not mix them. ``serializer`` is the one the workers
    use (``"pickle"``, ``"json"`` or a dotted name): arguments it cannot take are refused here.

    ``root`` stands in for the current folder, and what is imported from it is forgotten too.

    Raises ScheduleError for every mistake in the file, SettingsError for an unknown serializer.
    """
    shown = os.fspath(path)
    source = _source(shown)
    builder = ScheduleBuilder(shown, _dumps(serializer), serializer)
    token = BUILDER.set(builder)
    try:
        with import_path(Path(shown).resolve().parent, None if root is None else Path(root)):
            _run(source, shown)
    finally:
        BUILDER.reset(token)
    return builder.schedule(os.environ)


def _source(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ScheduleError(path, None, f"cannot be read: {error.strerror}") from None


def _dumps(serializer: str) -> Callable[[Any], bytes]:
    # Imported here, because a caller that only asks for times should not wait for RQ to load.
    from rq.serializers import resolve_serializer

    try:
        return resolve_serializer(serializer).dumps
    except (ImportError, AttributeError, ValueError, NotImplementedError) as error:
        raise SettingsError(f"the serializer {serializer!r} cannot be used: {error}") from None


def _run(source: bytes, path: str) -> None:
    module = ModuleType(SCHEDULE_MODULE)
    module.__file__ = path
    try:
        exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)  # noqa: S102
    except ScheduleError:
        raise
    except SyntaxError as error:
        raise ScheduleError(
            error.filename or path, error.lineno, f"invalid syntax: {error.msg}"
        ) from None
    except (Exception, SystemExit) as error:
        file, line = _position(error, path)
        raise ScheduleError(file, line, " ".join(_sentence(error).split())) from None


def _sentence(error: BaseException) -> str:
    if isinstance(error, RecurrenceError):
        return str(error)
    sentence = f"{type(error).__name__}: {error}"
    if isinstance(error, TypeError) and re.search(r"operand .* for [-|]: '?str", sentence):
        return f"{sentence}; write the words as period('...'), which knows '|' and '-'"
    return sentence


def _position(error: BaseException, path: str) -> tuple[str, int | None]:
    """The innermost line of the schedule, or of a file in its folder, that led to ``error``."""
    folder = Path(path).resolve().parent
    position: tuple[str, int | None] = (path, None)
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == path or is_own(frame.filename, folder):
            position = (frame.filename, frame.lineno)
    return position
