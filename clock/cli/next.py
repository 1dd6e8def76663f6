"""``clock next FILE``: upcoming occurrences."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime
from itertools import islice

import click

from clock.cli import options
from clock.cli.printing import print_objects, print_table
from clock.instant import utc_text
from clock.observe.formatting import local
from clock.recurrence.recurrence import between
from clock.schedule.event import Event, seconds
from clock.schedule.load import load
from clock.schedule.schedule import Schedule

SHOWN = 10
"""Occurrences shown without ``-n`` and ``--until``."""


@click.command(
    name="next",
    epilog=options.examples(
        "next schedules/main.py -n 5",
        "next schedules/main.py --event reports.daily --until 2027-01-01",
    ),
)
@options.schedule_file
@options.serializer
@options.app
@click.option("--from", "start", type=options.Instant(), help="Start, not included [default: now]")
@click.option("--until", type=options.Instant(), help="End, included.")
@click.option(
    "-n",
    "count",
    type=click.IntRange(min=1),
    help=f"Maximum number [default: {SHOWN}, without limit if --until is given]",
)
@click.option("--event", "name", help="Show only this event.")
@options.as_json
def next_occurrences(
    file: str,
    serializer: str,
    app: str,
    start: datetime | None,
    until: datetime | None,
    count: int | None,
    name: str | None,
    as_json: bool,
) -> None:
    """Show the upcoming occurrences of FILE in order of time.

    WHEN is when one is due, with jitter; MARK says how much later than its time that is. It is
    "gap" or "fold" at a clock change, and "if" where a condition decides. An instant
    without an offset is local time in the schedule's zone. Needs no server.
    """
    schedule = load(file, serializer=serializer)
    after = seconds(options.instant_or_now(start, schedule.zone))
    last = None if until is None else seconds(options.in_zone(until, schedule.zone))
    if count is None and last is None:
        count = SHOWN
    occurrences = islice(_merged(_shown(schedule, name), app, after, last), count)
    if as_json:
        print_objects(_as_object(*occurrence) for occurrence in occurrences)
        return
    rows = [
        (local(due, event.zone), event.zone.name, event.name, _marks(event, at, due))
        for due, at, event in occurrences
    ]
    print_table(("WHEN", "ZONE", "EVENT", "MARK"), rows)


def _shown(schedule: Schedule, name: str | None) -> list[Event]:
    # A disabled event never fires, so it is shown only where it is named.
    return [event for event in options.chosen(schedule, name) if name or event.enabled]


def _merged(
    events: list[Event], app: str, after: int, until: int | None
) -> Iterator[tuple[int, int, Event]]:
    """When each occurrence is due, its time, and its event, in the order in which they are due."""

    def numbered(index: int) -> Iterator[tuple[int, int, int]]:
        jittered = events[index].jittered(app)
        if jittered is None:
            return ((at, index, at) for at in between(events[index].recurrence, after, until))
        return ((due, index, jittered.scheduled(due)) for due in between(jittered, after, until))

    merged = heapq.merge(*map(numbered, range(len(events))))
    return ((due, at, events[index]) for due, index, at in merged)


def _marks(event: Event, at: int, due: int) -> str:
    jitter = f"+{due - at}s" if event.jitter else None
    condition = "if" if event.policy.condition is not None else None
    return " ".join(mark for mark in (event.mark(at), jitter, condition) if mark)


def _as_object(due: int, at: int, event: Event) -> dict[str, str | bool | None]:
    return {
        "event": event.name,
        "scheduled_at": utc_text(at),
        "due_at": utc_text(due),
        "local": event.local(at).isoformat(),
        "tz": event.zone.name,
        "mark": event.mark(at),
        "conditional": event.policy.condition is not None,
    }
