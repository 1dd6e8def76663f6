"""Writing what was imported as a schedule file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from clock.importing.imported import Imported, ImportedEvent, LeftOut
from clock.importing.literal import literal
from clock.schedule.load import read

_WIDTH = 100
"""Columns of a line of the file; an event that is longer has a line for each argument."""


def schedule_text(imported: Imported, serializer: str = "pickle") -> tuple[str, list[LeftOut]]:
    """The schedule file as text, and all that was left out of it.

    The text is read as the clock reads it, and an event with a mistake is left out too. So
    ``clock check`` finds nothing but tasks that cannot be imported.
    """
    left_out = list(imported.left_out)
    while True:
        text, begins = _text(replace(imported, events=_with_names_of_their_own(imported.events)))
        wrong = _mistakes(text, begins, serializer)
        if not wrong:
            return text, sorted(left_out, key=_line)
        events = imported.events
        left_out += (LeftOut(events[index].source, message) for index, message in wrong.items())
        kept = tuple(event for index, event in enumerate(events) if index not in wrong)
        imported = replace(imported, events=kept)


def _line(item: LeftOut) -> int:
    """The line of a place such as ``crontab:3``; 0 where it has none."""
    line = item.source.rpartition(":")[2]
    return int(line) if line.isdecimal() else 0


def _with_names_of_their_own(events: Sequence[ImportedEvent]) -> tuple[ImportedEvent, ...]:
    """The events, a number behind a name that another one has already."""
    taken: dict[str, int] = {}
    named = []
    for event in events:
        name = event.name
        while name in taken:
            taken[event.name] += 1
            name = f"{event.name} {taken[event.name]}"
        taken[name] = 1
        named.append(replace(event, name=name))
    return tuple(named)


def _text(imported: Imported) -> tuple[str, dict[int, int]]:
    """The text, and the position of each event by the line on which it begins."""
    bodies = [
        event.period + event.task + "".join(event.options.values()) for event in imported.events
    ]
    used = [name for name in ("command", "cron") if any(f"{name}(" in body for body in bodies)]
    names = sorted([*used, "every", "timezone", *(["defaults"] if imported.defaults else [])])
    lines = [f"from clock import {', '.join(names)}", "", f"timezone({literal(imported.zone)})"]
    body = "".join(bodies)
    if "datetime(" in body or "timedelta(" in body:
        lines[:0] = ["import datetime", ""]
    if imported.defaults:
        lines.append(f"defaults({_options(imported.defaults)})")
    lines.append("")
    begins: dict[int, int] = {}
    for index, event in enumerate(imported.events):
        lines += event.comments
        begins[len(lines) + 1] = index
        lines += _declaration(event)
    return "\n".join(lines).rstrip() + "\n", begins


def _declaration(event: ImportedEvent) -> Iterator[str]:
    words = [event.period, event.task]
    if event.name != event.default_name:
        words.append(f"name={literal(event.name)}")
    words += (f"{name}={value}" for name, value in event.options.items())
    line = f"every({', '.join(words)})"
    if len(line) <= _WIDTH:
        yield line
        return
    yield "every("
    for word in words:
        yield f"    {word},"
    yield ")"


def _options(options: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in options.items())


def _mistakes(text: str, begins: dict[int, int], serializer: str) -> dict[int, str]:
    """The events that the clock does not take by position, each with its reason."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "imported.py"
        file.write_text(text, encoding="utf-8")
        _, mistakes = read(file, serializer=serializer)
    wrong: dict[int, str] = {}
    for mistake in mistakes:
        before = [line for line in begins if mistake.line and line <= mistake.line]
        if not before:
            raise mistake
        wrong.setdefault(begins[max(before)], mistake.message)
    return wrong
