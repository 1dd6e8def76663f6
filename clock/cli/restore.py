"""``clock restore INSTANT``: after a server was restored from an older copy of its data."""

from __future__ import annotations

import os
import time
from datetime import datetime

import click

from clock import exit_codes
from clock.cli import options
from clock.connection.server import find_server
from clock.instant import utc_text
from clock.ledger.clocks import read_clocks
from clock.ledger.restore import restore
from clock.ledger.time_source import server_now
from clock.schedule.event import seconds


@click.command(name="restore")
@click.argument("instant", type=options.Instant())
@options.server
def restore_records(instant: datetime, url: str | None, settings: str | None, app: str) -> int:
    """Let no occurrence up to INSTANT fire: for a server restored from an older copy.

    INSTANT, with an offset, is when the data was lost. What was enqueued since the copy was
    written has no record in it, and would be made up again. Run this before the clocks start: what
    is scheduled after INSTANT is then made up as after any absence of a clock.
    """
    if instant.tzinfo is None:
        raise click.UsageError("INSTANT needs an offset, as in 2026-11-21T18:00Z or …T18:00+09:00")
    connection = find_server(url, settings, os.environ).connect()
    now = server_now(connection, time.time())
    if seconds(instant) > now:
        raise click.UsageError(f"{instant.isoformat()} is to come; it would silence every event")
    for life in read_clocks(connection, app):
        if life.is_alive(now):
            click.echo(
                f"warning: the clock {life.host}:{life.pid} seems alive, and may have made up what "
                "was enqueued before",
                err=True,
            )
    done = restore(connection, app, seconds(instant))
    click.echo(
        f"{done.moved} of {done.records} events stand at {utc_text(seconds(instant))}; "
        f"{done.records - done.moved} stood there or later"
    )
    return exit_codes.OK
