"""``clock check FILE``: find the mistakes before the clock starts."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import click

from clock import exit_codes
from clock.cli import options
from clock.schedule.load import load
from clock.schedule.resolve import resolve_tasks
from clock.schedule.warnings import traps


@click.command(
    epilog=options.examples("check schedules/main.py", "check schedules/main.py --no-import"),
)
@options.schedule_file
@options.serializer
@click.option("--no-import", is_flag=True, help="Do not import the tasks.")
def check(file: str, serializer: str, no_import: bool) -> int:
    """Check FILE and import every task it names.

    Needs no server. Warns about what is allowed but may surprise, such as a time that a clock
    change skips, or a file without events. Warnings do not change the exit code.
    """
    schedule = load(file, serializer=serializer)
    for trap in traps(schedule, datetime.fromtimestamp(time.time(), UTC)):
        click.echo(f"{trap.path}:{trap.line}: warning: {trap.message}", err=True)
    if not schedule.events:
        click.echo(f"{file}: warning: declares no events", err=True)
    if not no_import:
        for warning in resolve_tasks(schedule):
            click.echo(f"warning: {warning}", err=True)
    count = f"{len(schedule.events)} event" + ("" if len(schedule.events) == 1 else "s")
    click.echo(f"{file}: {count}, zone {schedule.zone.name}, no mistakes")
    return exit_codes.OK
