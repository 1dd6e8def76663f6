"""``clock diff OLD NEW``: the occurrences that a new schedule adds, drops or moves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import click

from clock import exit_codes
from clock.cli import options
from clock.cli.printing import print_objects, print_table, utc_of
from clock.observe.formatting import local
from clock.schedule.diff import EventDiff, diff
from clock.schedule.event import Event, seconds
from clock.schedule.revision import load_any
from clock.schedule.schedule import Schedule

SPAN = timedelta(days=31)
"""What is compared without ``--until``."""


@click.command(
    name="diff",
    epilog=options.examples(
        "diff git:main:schedules/main.py schedules/main.py",
        "diff old.py new.py --from 2027-03-01 --until 2027-04-01",
    ),
)
@click.argument("old")
@click.argument("new")
@options.serializer
@click.option("--from", "start", type=options.Instant(), help="Start, not included [default: now]")
@click.option(
    "--until", type=options.Instant(), help="End, included [default: 31 days after the start]"
)
@options.as_json
def diff_schedules(
    old: str,
    new: str,
    serializer: str,
    start: datetime | None,
    until: datetime | None,
    as_json: bool,
) -> int:
    """Compare the occurrences of two schedules.

    OLD and NEW are files, or git:REV:path as in git:main:schedules/main.py. Exits with 0 if nothing
    differs, with 5 if something does. Needs no server.
    """
    before = load_any(old, serializer=serializer)
    after = load_any(new, serializer=serializer)
    begin = options.instant_or_now(start, after.zone)
    end = begin + SPAN if until is None else options.in_zone(until, after.zone)
    changes = diff(before, after, begin, end)
    if as_json:
        print_objects(map(_as_object, changes))
    elif changes:
        rows = [row for change in changes for row in _rows(change, before, after)]
        print_table(("EVENT", "CHANGE", "OLD", "NEW"), rows)
        for change in changes:
            if change.compared_until is not None:
                click.echo(
                    f"{change.name}: compared up to {utc_of(change.compared_until)} only", err=True
                )
    else:
        click.echo("no occurrence differs")
    return exit_codes.DIFFERENT if changes else exit_codes.OK


def _rows(change: EventDiff, old: Schedule, new: Schedule) -> Iterator[tuple[str, str, str, str]]:
    before, after = old.events.get(change.name), new.events.get(change.name)
    rows = [
        *((moved[0], "moved", *moved) for moved in change.moved),
        *((dropped, "dropped", dropped, None) for dropped in change.dropped),
        *((added, "added", None, added) for added in change.added),
    ]
    for _, what, gone, come in sorted(rows, key=lambda row: row[0]):
        yield change.name, what, _local(before, gone), _local(after, come)


def _local(event: Event | None, instant: datetime | None) -> str:
    if event is None or instant is None:
        return ""
    return local(seconds(instant), event.zone)


def _as_object(change: EventDiff) -> dict[str, object]:
    return {
        "event": change.name,
        "added": [utc_of(instant) for instant in change.added],
        "dropped": [utc_of(instant) for instant in change.dropped],
        "moved": [[utc_of(old), utc_of(new)] for old, new in change.moved],
        "compared_until": None if change.compared_until is None else utc_of(change.compared_until),
    }
