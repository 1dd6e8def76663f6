"""Warnings of a schedule: what is allowed, but is likely a mistake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, pairwise

from clock.recurrence.days import MonthDays
from clock.recurrence.wall import Wall
from clock.schedule.event import Event
from clock.schedule.explain import clock_changes
from clock.schedule.frozen_arguments import frozen_arguments
from clock.schedule.notes import moved_hours, parts_of
from clock.schedule.schedule import Schedule

_LENGTHS = {29: {2}, 30: {2}, 31: {2, 4, 6, 9, 11}}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleWarning:
    """A place in the schedule, and a sentence that says what to do about it."""

    path: str
    line: int
    message: str


def find_warnings(schedule: Schedule, at: datetime) -> list[ScheduleWarning]:
    """The warnings of a schedule as of an instant, in the order of its events.

    A fixed time that a clock change of the coming year skips or repeats (unless ``gap=`` or
    ``fold=`` decides it otherwise than by default), a day that many months do not have, an event
    that fires more than once a minute without ``expires=``, two events that differ only by name, a
    day of the month joined with a weekday by "or", hours of real time that fall on other local
    hours in summer, arguments that are computed once.
    """
    duplicates = _duplicates(schedule)
    return [
        ScheduleWarning(path=event.path, line=event.line, message=f"{event.name!r} {message}")
        for event in schedule.events.values()
        if event.enabled
        for message in (
            *_clock_changes(event, at),
            *_missing_days(event),
            *_either_day(event),
            *_moved_hours(event, at),
            *_frozen_arguments(event),
            *_too_often(event, at),
            *duplicates.get(event.name, ()),
        )
    ]


def _clock_changes(event: Event, at: datetime) -> Iterator[str]:
    walls = [part for part in parts_of(event.recurrence) if isinstance(part, Wall)]
    fixed = [wall for wall in walls if not wall.follows_real_time]
    open_kinds = {"gap" for wall in fixed if wall.gap == "after"} | {
        "fold" for wall in fixed if wall.fold == "first"
    }
    warned: set[str] = set()
    for change in clock_changes(event, at):
        if change.kind in open_kinds - warned:
            warned.add(change.kind)
            yield (
                f"meets a clock change: {change.what}; "
                f"write another time, or {change.kind}= to decide it"
            )


def _missing_days(event: Event) -> Iterator[str]:
    for part in parts_of(event.recurrence):
        if isinstance(part, MonthDays) and part.rule.days and not part.rule.before_end:
            first = min(part.rule.days)
            if len(part.months) > 1 and part.months & _LENGTHS.get(first, set()):
                yield (
                    f"skips every month without a day {first}; "
                    "write on='last', or 'L' in cron, for the last day of the month"
                )


def _either_day(event: Event) -> Iterator[str]:
    for part in parts_of(event.recurrence):
        if isinstance(part, MonthDays):
            rule = part.rule
            if rule.weekdays and (rule.days or rule.before_end) and not rule.both:
                yield (
                    "fires on days of the month and on weekdays: cron joins the two by 'or'; "
                    "for a weekday of one week write it like 'sun#1'"
                )


def _moved_hours(event: Event, at: datetime) -> Iterator[str]:
    note = moved_hours(event, at)
    if note is not None:
        yield note


def _frozen_arguments(event: Event) -> Iterator[str]:
    for call in frozen_arguments(event.path, event.line):
        yield f"{call}, computed once, when the file is read; compute it in the task"


def _too_often(event: Event, at: datetime) -> Iterator[str]:
    if event.job.expires is not None:
        return
    spacing = (later - earlier for earlier, later in pairwise(islice(event.occurrences(at), 5)))
    shortest = min((gap.total_seconds() for gap in spacing), default=60)
    if shortest < 60:
        yield (
            f"fires every {shortest:.0f} seconds and its jobs never expire, so they pile up while "
            f"no worker runs; write expires='{shortest:.0f}s'"
        )


def _duplicates(schedule: Schedule) -> dict[str, list[str]]:
    """A sentence for each event that differs from an earlier one only by its name."""
    earlier: dict[tuple[object, ...], list[Event]] = {}
    duplicates: dict[str, list[str]] = {}
    for event in schedule.events.values():
        alike = earlier.setdefault((event.task, event.recurrence, event.job.queue), [])
        for other in alike:
            if _without_name(event) == _without_name(other):
                duplicates[event.name] = [
                    f"differs from {other.name!r} ({other.path}:{other.line}) only by its name, "
                    "so the same work is done twice; drop one, or give it other arguments"
                ]
                break
        alike.append(event)
    return duplicates


def _without_name(event: Event) -> tuple[object, ...]:
    return (event.args, event.kwargs, event.job, event.enabled)
