"""``clock dev FILE``: everything on this one machine."""

from __future__ import annotations

import os

import click

from clock.cli import options
from clock.dev.supervisor import run_processes
from clock.schedule.load import load


@click.command()
@options.schedule_file
@options.server_and_serializer
@click.option("--embedded", is_flag=True, help="Embed a server, whatever is configured.")
def dev(
    file: str, url: str | None, settings: str | None, app: str, serializer: str, embedded: bool
) -> int:
    """Run FILE with all it needs: a server, the clock, a worker and the page, in one stream of
    lines.

    A configured server that answers is used; else an embedded one is started, which forgets
    everything at the end. Ctrl-C ends all of it.
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
