"""``clock list FILE``: the events of a schedule."""

from __future__ import annotations

import json
import time

import click

from clock import exit_codes
from clock.cli import options
from clock.cli.table import table
from clock.instant import utc_text
from clock.schedule.event import Event
from clock.schedule.load import load


@click.command(
    name="list", epilog=options.examples("list schedules/main.py", "list schedules/main.py --json")
)
@options.schedule_file
@options.serializer
@options.as_json
def list_events(file: str, serializer: str, as_json: bool) -> int:
    """List the events of FILE with their next times. Needs no server."""
    schedule = load(file, serializer=serializer)
    now = int(time.time())
    if as_json:
        for event in schedule.events.values():
            click.echo(json.dumps(_as_object(event, now), ensure_ascii=False))
        return exit_codes.OK
    rows = [
        (event.name, event.rule, event.zone.name, _next(event, now), event.job.queue, event.task)
        for event in schedule.events.values()
    ]
    for line in table(("EVENT", "EVERY", "ZONE", "NEXT", "QUEUE", "TASK"), rows):
        click.echo(line)
    click.echo(f"\n{len(rows)} events, zone {schedule.zone.name}")
    return exit_codes.OK


def _next(event: Event, now: int) -> str:
    if not event.enabled:
        return "disabled"
    following = event.recurrence.next(now)
    return "never" if following is None else f"{event.local(following):%Y-%m-%d %H:%M:%S %z}"


def _as_object(event: Event, now: int) -> dict[str, object]:
    following = event.recurrence.next(now) if event.enabled else None
    return {
        "event": event.name,
        "every": event.rule,
        "tz": event.zone.name,
        "next": None if following is None else utc_text(following),
        "queue": event.job.queue,
        "task": event.task,
        "enabled": event.enabled,
        "path": event.path,
        "line": event.line,
    }
