"""The files of a schedule, and what becomes of it when one of them changes."""

from __future__ import annotations

import os
from collections.abc import Iterable

from clock.errors import ClockError, all_mistakes
from clock.schedule.load import read
from clock.schedule.schedule import Schedule


class ScheduleFiles:
    """A schedule file, and the files it imports that declare events."""

    def __init__(self, schedule: Schedule, serializer: str) -> None:
        self._path, self._serializer = schedule.path, serializer
        self._remember([schedule.path, *(event.path for event in schedule.events.values())])

    def changed(self) -> Schedule | str | None:
        """The schedule as it is now, or the mistakes that it has, a line for each; None where no
        file was changed since the last call.
        """
        if self._times == {path: _changed_at(path) for path in self._times}:
            return None
        self._remember(self._times)
        try:
            schedule, mistakes = read(self._path, serializer=self._serializer)
        except ClockError as error:
            return str(error)
        mistaken = (mistake.path for mistake in mistakes)
        declared = (event.path for event in schedule.events.values())
        self._remember([self._path, *declared, *mistaken])
        return str(all_mistakes(mistakes, self._path)) if mistakes else schedule

    def _remember(self, paths: Iterable[str]) -> None:
        self._times = {path: _changed_at(path) for path in list(paths)}


def _changed_at(path: str) -> int | None:
    """When a file was changed, in nanoseconds; None where there is none, as while it is saved."""
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return None
