"""Checking a row that somebody writes: all of its mistakes, and when it would fire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clock.errors import RecurrenceError, RowError
from clock.jobs.editing import Editor
from clock.observe.preview import preview
from clock.observe.upcoming import Upcoming
from clock.recurrence.zone import Zone
from clock.schedule.event import Event
from clock.schedule.row import read_row
from clock.schedule.source import Source

_PLACEHOLDER = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPreview:
    """When a row would fire: in words, and its next times."""

    words: str
    zone: Zone
    queue: str
    enabled: bool
    times: tuple[Upcoming, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """``event`` is None where there are ``mistakes``, sentences by word; ``preview`` where it is
    unknown when the row would fire.
    """

    event: Event | None
    mistakes: Mapping[str, str]
    preview: RowPreview | None


def check_row(
    editor: Editor, row: Mapping[str, Any], source: str | None, now: float, wrong: Mapping[str, str]
) -> Checked:
    """Check ``row`` as ``clock.put`` does, but go on after a mistake: a word that is wrong is left
    out. ``wrong`` are mistakes that are known already. Raises UnknownSourceError and ServerError.
    """
    mistakes = dict(wrong)
    given, allowed = dict(row), editor.source(source)
    while True:
        try:
            event = editor.check(given, source, now)
            break
        except RowError as error:
            word = error.field
            if word in mistakes:
                return Checked(event=None, mistakes=mistakes, preview=None)
            mistakes[word] = error.message
            if word in {"every", "once", ""}:
                return Checked(event=None, mistakes=mistakes, preview=None)
            if word == "name" and _reads(given, allowed):
                event = read_row(given, allowed)
                break
            given.pop(word, None)
            given |= _placeholder(word, allowed)
    try:
        coming = preview_event(event, now)
    except RecurrenceError as error:
        mistakes.setdefault("every", str(error))
        return Checked(event=None, mistakes=mistakes, preview=None)
    return Checked(event=None if mistakes else event, mistakes=mistakes, preview=coming)


def preview_event(event: Event, now: float) -> RowPreview:
    """When ``event`` fires after ``now`` (UTC seconds since 1970). Raises RecurrenceError."""
    shown = preview(event, now)
    return RowPreview(
        words=shown.words,
        zone=event.zone,
        queue=event.job.queue,
        enabled=event.enabled,
        times=shown.upcoming,
    )


def _reads(row: Mapping[str, Any], source: Source) -> bool:
    """Whether only its name is wrong, as it is taken."""
    try:
        read_row(row, source)
    except RowError:
        return False
    return True


def _placeholder(word: str, source: Source) -> dict[str, str]:
    """A value in the place of a wrong one that a row needs."""
    if word == "name":
        return {"name": _PLACEHOLDER}
    if word == "task":
        return {"task": source.declaration.tasks[0].replace("*", "x")}
    return {}
