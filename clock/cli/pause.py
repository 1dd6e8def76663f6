"""``clock pause EVENT`` and ``clock resume EVENT``."""

from __future__ import annotations

from datetime import datetime

import click

from clock.cli import options
from clock.cli.auditing import auditing, user_and_host
from clock.cli.connect import connect
from clock.instant import utc_text
from clock.ledger.pauses import Pause, pause, pause_end, resume
from clock.observe import objects


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
    new_pause = Pause(until=end, reason=reason, by=user_and_host(), since=int(now))
    with auditing(connection, app, "pause", event, now) as change:
        change.before = objects.pause_object(pause(connection, app, event, new_pause))
        change.after = objects.pause_object(new_pause)
    click.echo(f"{event} is paused until {'it is resumed' if end is None else utc_text(end)}")


@click.command(name="resume", epilog=options.examples("resume reports.daily"))
@click.argument("event")
@options.server
def resume_event(event: str, url: str | None, settings: str | None, app: str) -> None:
    """Let a paused EVENT fire again, from its next time on."""
    connection, now = connect(url, settings)
    with auditing(connection, app, "resume", event, now) as change:
        ended = resume(connection, app, event, now)
        change.before = objects.pause_object(ended)
    click.echo(f"{event} was not paused" if ended is None else f"{event} is resumed")
