"""``clock run EVENT``: fire an event now."""

from __future__ import annotations

import os
import time

import click

from clock import exit_codes
from clock.cli import options
from clock.connection.server import find_server
from clock.ledger.manual import run_now
from clock.ledger.time_source import server_now


@click.command(name="run")
@click.argument("event")
@options.server
def run_event(event: str, url: str | None, settings: str | None, app: str) -> int:
    """Enqueue the job of EVENT now. Its schedule stays as it is; the job is marked manual."""
    connection = find_server(url, settings, os.environ).connect()
    identifier = run_now(connection, app, event, server_now(connection, time.time()))
    click.echo(f"{event} is enqueued as {identifier}")
    return exit_codes.OK
