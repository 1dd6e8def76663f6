"""``clock pause EVENT`` and ``clock resume EVENT``."""

from __future__ import annotations

import getpass
import socket
from datetime import datetime

import click

from clock.cli import options
from clock.cli.connect import connect
from clock.instant import utc_text
from clock.ledger.pauses import Pause, pause, pause_end, resume


@click.command(
    name="pause",
    epilog=options.examples(
        "pause reports.daily --reason 'the mail server moves'",
        "pause reports.daily --until 2026-12-01T09:00+01:00",
    ),
)
@click.argument("event")
@options.server
@click.option(
    "--until", type=options.Instant(), help="End, with an offset [default: until it is resumed]"
)
@click.option("--reason", default="", help="Reason, shown by 'clock why' and in the web UI.")
def pause_event(
    event: str, url: str | None, settings: str | None, app: str, until: datetime | None, reason: str
) -> None:
    """Stop EVENT from firing until it is resumed.

    A pause outlives restarts and deploys. Its occurrences are recorded as paused, and are not made
    up afterwards.
    """
    connection, now = connect(url, settings)
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


@click.command(name="resume", epilog=options.examples("resume reports.daily"))
@click.argument("event")
@options.server
def resume_event(event: str, url: str | None, settings: str | None, app: str) -> None:
    """Let a paused EVENT fire again, from its next time on."""
    connection, now = connect(url, settings)
    ended = resume(connection, app, event, now)
    click.echo(f"{event} was not paused" if ended is None else f"{event} is resumed")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"
