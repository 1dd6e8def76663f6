"""``clock diff OLD NEW``: the occurrences that a new schedule adds, drops or moves."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import click

from clock import exit_codes
from clock.cli import options
from clock.cli.table import table
from clock.instant import utc_text
from clock.schedule.diff import EventDiff, diff
from clock.schedule.event import Event, seconds
from clock.schedule.revision import load_any
from clock.schedule.schedule import Schedule

SPAN = timedelta(days=31)
"""What is compared where no end is asked for."""


@click.command(name="diff")
@click.argument("old")
@click.argument("new")
@options.serializer
@click.option("--from", "start", type=options.Instant(), help="Later than this; else now.")
@click.option("--until", type=options.Instant(), help="Up to this; else 31 days from the start.")
@options.as_json
def diff_schedules(
    old: str,
    new: str,
    serializer: str,
    start: datetime | None,
    until: datetime | None,
    as_json: bool,
) -> int:
    """Compare the occurrences of two schedules. Needs no server.

    OLD and NEW are files, or git:REV:path as in git:main:schedules/main.py. The exit code is 0
    where nothing differs, 5 where something does.
    """
    before = load_any(old, serializer=serializer)
    after = load_any(new, serializer=serializer)
    begin = (
        datetime.fromtimestamp(time.time(), UTC)
        if start is None
        else options.in_zone(start, after.zone)
    )
    end = begin + SPAN if until is None else options.in_zone(until, after.zone)
    found = diff(before, after, begin, end)
    if as_json:
        for each in found:
            click.echo(json.dumps(_as_object(each), ensure_ascii=False))
    elif found:
        rows = [row for each in found for row in _rows(each, before, after)]
        for line in table(("EVENT", "CHANGE", "OLD", "NEW"), rows):
            click.echo(line)
        for each in found:
            if each.compared_until is not None:
                click.echo(
                    f"{each.name}: compared up to {_utc(each.compared_until)} only", err=True
                )
    else:
        click.echo("no occurrence differs")
    return exit_codes.DIFFERENT if found else exit_codes.OK


def _rows(each: EventDiff, old: Schedule, new: Schedule) -> Iterator[tuple[str, str, str, str]]:
    before, after = old.events.get(each.name), new.events.get(each.name)
    changes = [
        *((moved[0], "moved", *moved) for moved in each.moved),
        *((dropped, "dropped", dropped, None) for dropped in each.dropped),
        *((added, "added", None, added) for added in each.added),
    ]
    for _, change, gone, come in sorted(changes, key=lambda row: row[0]):
        yield each.name, change, _local(before, gone), _local(after, come)


def _local(event: Event | None, instant: datetime | None) -> str:
    if event is None or instant is None:
        return ""
    return f"{event.local(seconds(instant)):%a %Y-%m-%d %H:%M:%S %z}"


def _as_object(each: EventDiff) -> dict[str, object]:
    return {
        "event": each.name,
        "added": [_utc(instant) for instant in each.added],
        "dropped": [_utc(instant) for instant in each.dropped],
        "moved": [[_utc(old), _utc(new)] for old, new in each.moved],
        "compared_until": None if each.compared_until is None else _utc(each.compared_until),
    }


def _utc(instant: datetime) -> str:
    return utc_text(seconds(instant))
