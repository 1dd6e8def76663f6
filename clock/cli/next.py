"""``clock next FILE``: coming occurrences."""

from __future__ import annotations

import heapq
import json
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import islice

import click

from clock import exit_codes
from clock.cli import options
from clock.cli.table import table
from clock.instant import utc_text
from clock.recurrence.recurrence import between
from clock.schedule.event import Event, seconds
from clock.schedule.load import load
from clock.schedule.schedule import Schedule

SHOWN = 10
"""Occurrences shown where neither a number nor an end is asked for."""


@click.command(name="next")
@options.schedule_file
@options.serializer
@click.option("--from", "start", type=options.Instant(), help="Later than this instant; else now.")
@click.option("--until", type=options.Instant(), help="Up to and including this instant.")
@click.option(
    "-n", "count", type=click.IntRange(min=1), help=f"At most so many; {SHOWN} without --until."
)
@click.option("--event", "name", help="Of this event alone.")
@options.as_json
def next_occurrences(
    file: str,
    serializer: str,
    start: datetime | None,
    until: datetime | None,
    count: int | None,
    name: str | None,
    as_json: bool,
) -> int:
    """Show the coming occurrences of FILE, in order of time. Needs no server.

    An instant without an offset is local time in the schedule's zone.
    """
    schedule = load(file, serializer=serializer)
    after = int(time.time()) if start is None else seconds(options.in_zone(start, schedule.zone))
    last = None if until is None else seconds(options.in_zone(until, schedule.zone))
    if count is None and last is None:
        count = SHOWN
    occurrences = islice(_merged(_shown(schedule, name), after, last), count)
    if as_json:
        for at, event in occurrences:
            click.echo(json.dumps(_as_object(at, event), ensure_ascii=False))
        return exit_codes.OK
    rows = [
        (
            f"{event.local(at):%a %Y-%m-%d %H:%M:%S %z}",
            event.zone.name,
            event.name,
            event.mark(at) or "",
        )
        for at, event in occurrences
    ]
    for line in table(("WHEN", "ZONE", "EVENT", "MARK"), rows):
        click.echo(line)
    return exit_codes.OK


def _shown(schedule: Schedule, name: str | None) -> list[Event]:
    # A disabled event fires only in the imagination of whoever asks for it by name.
    return [event for event in options.chosen(schedule, name) if name or event.enabled]


def _merged(events: list[Event], after: int, until: int | None) -> Iterator[tuple[int, Event]]:
    def numbered(index: int) -> Iterator[tuple[int, int]]:
        return ((at, index) for at in between(events[index].recurrence, after, until))

    return ((at, events[index]) for at, index in heapq.merge(*map(numbered, range(len(events)))))


def _as_object(at: int, event: Event) -> dict[str, str | None]:
    return {
        "event": event.name,
        "scheduled_at": utc_text(at),
        "local": event.local(at).isoformat(),
        "tz": event.zone.name,
        "mark": event.mark(at),
    }
