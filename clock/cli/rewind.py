"""``clock rewind [EVENT]...``: set records that stand in the future back to the present."""

from __future__ import annotations

import os
import time

import click

from clock import exit_codes
from clock.cli import options
from clock.connection.server import find_server
from clock.instant import utc_text
from clock.ledger.lower import is_ahead, lower
from clock.ledger.records import read_decided, read_record
from clock.ledger.time_source import server_now


@click.command(name="rewind")
@click.argument("events", nargs=-1, metavar="[EVENT]...")
@options.server
def rewind(events: tuple[str, ...], url: str | None, settings: str | None, app: str) -> int:
    """Set the records of the EVENTs that stand in the future back to the server's time.

    Without EVENT, of all that stand more than five minutes ahead. A record stands there after the
    server's clock, or the host of a clock of 0.1.0, was ahead: nothing fires until that time. A
    clock does this by itself where the history lists all that fired beyond. Where it does not, the
    occurrences that are not listed fire once more when their time comes.
    """
    connection = find_server(url, settings, os.environ).connect()
    now = server_now(connection, time.time())
    if events:
        decided = {name: read_record(connection, app, name).decided for name in events}
    else:
        every = read_decided(connection, app).items()
        decided = {name: at for name, at in every if is_ahead(at, now)}
    chosen = list(decided)
    lowered = lower(connection, app, chosen, now, waited_out=0, anyhow=True) if chosen else []
    for name, record in zip(chosen, lowered, strict=True):
        if record.is_lowered and record.decided is not None:
            before, after = utc_text(decided[name]), utc_text(record.decided)
            click.echo(f"{name}: set back from {before} to {after}")
        else:
            click.echo(f"{name}: its record does not stand in the future")
    if not chosen:
        click.echo("no record stands in the future")
    return exit_codes.OK
