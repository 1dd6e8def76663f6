"""``clock dev FILE``: everything on this machine."""

from __future__ import annotations

import os

import click

from clock.cli import options
from clock.dev.supervisor import run_processes
from clock.schedule.load import load


@click.command(epilog=options.examples("dev schedules/main.py", "dev schedules/main.py --embedded"))
@options.schedule_file
@options.server_and_serializer
@click.option(
    "--embedded", is_flag=True, help="Start an embedded server even if another is configured."
)
def dev(
    file: str, url: str | None, settings: str | None, app: str, serializer: str, embedded: bool
) -> int:
    """Run server, clock, worker and web UI on this machine.

    Uses the configured server if it answers. Otherwise starts an embedded one, which keeps nothing
    after the end. When the schedule file changes, the clock starts again with it; while it has
    mistakes they are shown, and the clock goes on. Ctrl-C stops everything.
    """
    schedule = load(file, serializer=serializer)
    return run_processes(
        schedule,
        url=url,
        settings=settings,
        app=app,
        serializer=serializer,
        embedded=embedded,
        environ=os.environ,
    )
