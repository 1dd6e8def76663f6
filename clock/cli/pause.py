"""``clock pause EVENT`` and ``clock resume EVENT``."""

from __future__ import annotations

import getpass
import os
import socket
import time
from datetime import datetime

import click

from clock import exit_codes
from clock.cli import options
from clock.connection.server import find_server
from clock.instant import utc_text
from clock.ledger.pauses import Pause, pause, pause_end, resume
from clock.ledger.time_source import server_now


@click.command(name="pause")
@click.argument("event")
@options.server
@click.option("--until", type=options.Instant(), help="The end, with an offset; else none.")
@click.option("--reason", default="", help="Why, for whoever asks later.")
def pause_event(
    event: str, url: str | None, settings: str | None, app: str, until: datetime | None, reason: str
) -> int:
    """Let no occurrence of EVENT fire, through restarts and deploys, until it is resumed.

    Each is recorded as paused, and none is made up afterwards.
    """
    connection = find_server(url, settings, os.environ).connect()
    now = server_now(connection, time.time())
    try:
        end = None if until is None else pause_end(now, until)
    except ValueError as error:
        raise click.UsageError(f"--until: {error}") from None
    pause(
        connection,
        app,
        event,
        Pause(until=end, reason=reason, by=f"{_user()}@{socket.gethostname()}", since=int(now)),
    )
    click.echo(f"{event} is paused until {'it is resumed' if end is None else utc_text(end)}")
    return exit_codes.OK


@click.command(name="resume")
@click.argument("event")
@options.server
def resume_event(event: str, url: str | None, settings: str | None, app: str) -> int:
    """Let EVENT fire again, from its next time on."""
    connection = find_server(url, settings, os.environ).connect()
    ended = resume(connection, app, event, server_now(connection, time.time()))
    click.echo(f"{event} was not paused" if ended is None else f"{event} is resumed")
    return exit_codes.OK


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"
