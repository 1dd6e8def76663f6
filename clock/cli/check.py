"""``clock check FILE``: find the mistakes before the clock starts."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import click

from clock.cli import options
from clock.schedule.load import load
from clock.schedule.resolve import resolve_tasks
from clock.schedule.warnings import find_warnings


@click.command(
    epilog=options.examples("check schedules/main.py", "check schedules/main.py --no-import"),
)
@options.schedule_file
@options.serializer
@click.option("--no-import", is_flag=True, help="Do not import the tasks.")
def check(file: str, serializer: str, no_import: bool) -> None:
    """Check FILE and import every task it names.

    Checks the settings too, and needs no server. Warns about what is allowed but may surprise, such
    as a time that a clock change skips, or a file without events. Warnings do not change the exit
    code.
    """
    options.settings_of_command()
    schedule = load(file, serializer=serializer)
    for warning in find_warnings(schedule, datetime.fromtimestamp(time.time(), UTC)):
        click.echo(f"{warning.path}:{warning.line}: warning: {warning.message}", err=True)
    if not schedule.events:
        click.echo(f"{file}: warning: declares no events", err=True)
    if not no_import:
        for message in resolve_tasks(schedule):
            click.echo(f"warning: {message}", err=True)
    count = f"{len(schedule.events)} event" + ("" if len(schedule.events) == 1 else "s")
    click.echo(f"{file}: {count}, zone {schedule.zone.name}, no mistakes")
