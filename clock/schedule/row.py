"""A row: an event as a mapping of the words of ``every``, checked as those of a file are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NoReturn

from clock.errors import RecurrenceError, RowError, ScheduleError
from clock.recurrence.encoding import encode
from clock.recurrence.phrase import Details, read_rule
from clock.recurrence.rule import Rule
from clock.recurrence.zone import Zone
from clock.schedule.assembly import Declaration
from clock.schedule.event import Event
from clock.schedule.option import unknown_option
from clock.schedule.options import OPTIONS, ROW_OPTIONS
from clock.schedule.source import Source
from clock.schedule.task import task_name

WORDS = ("every", "once", "task", *ROW_OPTIONS)
"""The words of a row."""

_OF_TIME = ("every", "at", "on", "anchor", "start", "until", "spread")
"""The words that say when; a row with ``once`` has none of them."""


def read_row(row: object, source: Source) -> Event:
    """The event that a row of ``source`` declares. Raises RowError, with the field that is wrong.

    A row needs a ``name``, a ``task``, and ``every`` or ``once``. It may hold values as a file
    does, or as JSON does.
    """
    if not isinstance(row, Mapping):
        raise RowError("", f"{_short(row)} must be a mapping, like {{'name': ..., 'every': ...}}")
    checked = _checked(row)
    name, task = checked.pop("name"), _task(row["task"])
    details = Details(*(checked.pop(word, None) for word in ("at", "on", "anchor")))
    declared = source.declaration
    if row.get("once") is not None:
        rule, bounds = _once(row, checked.get("tz") or source.zone)
        checked |= bounds
    else:
        rule = _rule(row["every"], details)
    declaration = Declaration(
        name=name,
        task=task,
        rule=rule,
        args=checked.pop("args", ()),
        kwargs=checked.pop("kwargs", {}),
        options=checked,
        path=declared.path,
        line=declared.line,
    )
    try:
        event = source.assembly.event(declaration, source.defaults, source.zone, source.name)
    except ScheduleError as error:
        field = error.message.partition("=")[0]
        raise RowError(field if field in WORDS else "every", error.message) from None
    _check_allowed(event, source)
    return event if row.get("once") is None else replace(event, is_once=True)


def name_of(row: object) -> str:
    """The name of a row that may be wrong, empty where it has none that can be shown."""
    name = row.get("name") if isinstance(row, Mapping) else None
    try:
        return str(OPTIONS["name"].check(name))
    except ValueError:
        return ""


def _checked(row: Mapping[Any, Any]) -> dict[str, Any]:
    for word in row:
        if word not in WORDS:
            raise RowError(str(word), _unknown(word))
    for word in ("name", "task"):
        if row.get(word) is None:
            raise RowError(word, f"a row needs {word!r}")
    if (row.get("every") is None) == (row.get("once") is None):
        raise RowError("every", "a row needs either 'every' or 'once'")
    checked = {}
    for word, value in row.items():
        # A column of a database that is NULL says nothing.
        if value is None or word in {"every", "once", "task"}:
            continue
        try:
            checked[word] = ROW_OPTIONS[word].check(value)
        except RecurrenceError as error:
            raise RowError(word, str(error)) from None
        except ValueError as error:
            raise RowError(word, f"{word}=: {error}") from None
    return checked


def _unknown(word: object) -> str:
    if word in OPTIONS:
        return f"{word}= is code, which a row cannot have; declare the event in the schedule file"
    return unknown_option(str(word), WORDS)


def _task(value: object) -> str:
    try:
        return task_name(value)
    except ValueError as error:
        raise RowError("task", f"task=: {error}") from None


def _rule(every: object, details: Details) -> Rule:
    try:
        return read_rule(every, details)
    except ValueError as error:
        raise RowError(_wrong_word(every, details), str(error)) from None
    except (TypeError, AttributeError):
        raise RowError("every", f"{_short(every)} is not a period; write it as text") from None


def _wrong_word(every: object, details: Details) -> str:
    """The word without which the rule can be read; else it is the period that is wrong."""
    for word in ("at", "on", "anchor"):
        if getattr(details, word) is None:
            continue
        try:
            read_rule(every, details._replace(**{word: None}))
        except (ValueError, TypeError, AttributeError):
            continue
        return word
    return "every"


def _once(row: Mapping[Any, Any], zone: Zone) -> tuple[Rule, dict[str, Any]]:
    """The rule of a single occurrence, and the bounds that leave no other."""
    for word in _OF_TIME:
        if row.get(word) is not None:
            raise RowError(word, f"{word}= does not go with once=, which says it all")
    value = row["once"]
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        _refuse_once(value, "is not a time like '2027-01-04T09:00'")
    if at.microsecond:
        _refuse_once(value, "has a fraction of a second")
    if at.tzinfo is not None:
        at = zone.local(round(at.astimezone(UTC).timestamp()))
    rule = _rule("day", Details(at=f"{at:%H:%M:%S}"))
    return rule, {"start": at.date(), "until": at.date()}


def _refuse_once(value: object, mistake: str) -> NoReturn:
    raise RowError("once", f"once=: {_short(value)} {mistake}")


def _check_allowed(event: Event, source: Source) -> None:
    declared = source.declaration
    named = {"task": event.task}
    for word, callback in (
        ("on_success", event.job.on_success),
        ("on_failure", event.job.on_failure),
    ):
        if callback is not None:
            named[word] = callback.name
    for word, name in named.items():
        if not declared.allows_task(name):
            allowed = ", ".join(declared.tasks)
            raise RowError(
                word, f"{word}=: {name!r} is not allowed here; the source allows {allowed}"
            )
    if not declared.allows_queue(event.job.queue):
        allowed = ", ".join(declared.queues or ())
        raise RowError(
            "queue",
            f"queue=: {event.job.queue!r} is not allowed here; the source allows {allowed}",
        )
    if encode(event.recurrence) is None:
        raise RowError("every", "its times are code, which a row cannot have")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
