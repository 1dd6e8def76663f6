"""``clock rewind [EVENT]...``: set records that are ahead back to the present."""

from __future__ import annotations

import click

from clock.cli import options
from clock.cli.auditing import auditing
from clock.cli.connect import connect
from clock.instant import utc_text
from clock.ledger.lower import is_ahead, lower
from clock.ledger.records import read_decided, read_record


@click.command(name="rewind", epilog=options.examples("rewind", "rewind reports.daily orders"))
@click.argument("events", nargs=-1, metavar="[EVENT]...")
@options.server
def rewind(events: tuple[str, ...], url: str | None, settings: str | None, app: str) -> None:
    """Set records that are ahead back to the server's time.

    Without EVENT, sets back all that are more than five minutes ahead. A record is ahead after the
    server's clock, or the host of a clock of 0.1.0, was ahead: its event does not fire until that
    time. A clock sets a record back by itself if the history lists everything that fired beyond.
    Otherwise the occurrences that are not listed fire once more when their time comes.
    """
    connection, now = connect(url, settings)
    if events:
        decided = {name: read_record(connection, app, name).decided for name in events}
    else:
        records = read_decided(connection, app).items()
        decided = {name: at for name, at in records if is_ahead(at, now)}
    chosen = list(decided)
    if not chosen:
        click.echo("no record is in the future")
        return
    with auditing(connection, app, "rewind", ", ".join(chosen), now) as change:
        lowered = lower(connection, app, chosen, now, waited_out=0, anyhow=True)
        change.after = {"set back": sum(record.is_lowered for record in lowered)}
    for name, record in zip(chosen, lowered, strict=True):
        if record.is_lowered and record.decided is not None:
            before, after = utc_text(decided[name]), utc_text(record.decided)
            click.echo(f"{name}: set back from {before} to {after}")
        else:
            click.echo(f"{name}: its record is not in the future")
