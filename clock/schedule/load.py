"""Reading a schedule file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clock.errors import ScheduleError, SettingsError, all_mistakes
from clock.schedule.builder import BUILDER, ScheduleBuilder
from clock.schedule.import_path import import_path
from clock.schedule.run_file import run_file
from clock.schedule.schedule import Schedule


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

    Raises ScheduleError with every mistake in the file, SettingsError for an unknown serializer.
    """
    schedule, mistakes = read(path, serializer=serializer, root=root)
    if mistakes:
        raise all_mistakes(mistakes, schedule.path)
    return schedule


def read(
    path: str | os.PathLike[str],
    *,
    serializer: str = "pickle",
    root: str | os.PathLike[str] | None = None,
) -> tuple[Schedule, list[ScheduleError]]:
    """As ``load``, but the mistakes are returned, beside the schedule of the events without any.

    Raises ScheduleError for a file that cannot be read at all.
    """
    shown = os.fspath(path)
    source = _source(shown)
    builder = ScheduleBuilder(shown, _dumps(serializer), serializer)
    token = BUILDER.set(builder)
    try:
        with import_path(Path(shown).resolve().parent, None if root is None else Path(root)):
            builder.mistakes += run_file(source, shown)
    finally:
        BUILDER.reset(token)
    return builder.schedule(os.environ), builder.mistakes


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
