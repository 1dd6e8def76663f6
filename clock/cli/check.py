"""``clock check FILE``: find the mistakes before the clock starts."""

from __future__ import annotations

import click

from clock import codes
from clock.cli import options
from clock.schedule.load import load
from clock.schedule.resolve import resolve_tasks


@click.command()
@options.schedule_file
@options.serializer
@click.option("--no-import", is_flag=True, help="Do not import the tasks.")
def check(file: str, serializer: str, no_import: bool) -> int:
    """Load FILE, check all of it, and import every task it names. Needs no server."""
    schedule = load(file, serializer=serializer)
    if not no_import:
        for warning in resolve_tasks(schedule):
            click.echo(f"warning: {warning}", err=True)
    click.echo(f"{file}: {len(schedule.events)} events, zone {schedule.zone.name}, no mistakes")
    return codes.OK
