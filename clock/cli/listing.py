"""``clock list FILE``: the events of a schedule."""

from __future__ import annotations

import time

import click

from clock.cli import options
from clock.cli.printing import print_objects, print_table
from clock.instant import utc_text
from clock.schedule.event import Event
from clock.schedule.load import load


@click.command(
    name="list", epilog=options.examples("list schedules/main.py", "list schedules/main.py --json")
)
@options.schedule_file
@options.serializer
@options.as_json
def list_events(file: str, serializer: str, as_json: bool) -> None:
    """List the events of FILE with their next times. Needs no server.

    "if" marks events whose conditions decide.
    """
    schedule = load(file, serializer=serializer)
    now = int(time.time())
    if as_json:
        print_objects(_as_object(event, now) for event in schedule.events.values())
        return
    rows = [
        (event.name, event.rule, event.zone.name, _next(event, now), event.job.queue, event.task)
        for event in schedule.events.values()
    ]
    print_table(("EVENT", "EVERY", "ZONE", "NEXT", "QUEUE", "TASK"), rows)
    count = f"{len(rows)} event" + ("" if len(rows) == 1 else "s")
    click.echo(f"\n{count}, zone {schedule.zone.name}")


def _next(event: Event, now: int) -> str:
    if not event.enabled:
        return "disabled"
    following = event.recurrence.next(now)
    if following is None:
        return "never"
    condition = " if" if event.policy.condition is not None else ""
    return f"{event.local(following):%Y-%m-%d %H:%M:%S %z}{condition}"


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
        "conditional": event.policy.condition is not None,
        "path": event.path,
        "line": event.line,
    }
