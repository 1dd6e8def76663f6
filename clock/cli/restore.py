"""``clock restore INSTANT``: after a server was restored from a backup."""

from __future__ import annotations

from datetime import datetime

import click

from clock.cli import options
from clock.cli.auditing import auditing
from clock.cli.connect import connect
from clock.instant import utc_text
from clock.ledger.clocks import read_clocks
from clock.ledger.restore import restore
from clock.schedule.event import seconds


@click.command(name="restore", epilog=options.examples("restore 2026-11-21T18:00Z"))
@click.argument("instant", type=options.Instant())
@options.server
def restore_records(instant: datetime, url: str | None, settings: str | None, app: str) -> None:
    """Prevent repeats after a server was restored from a backup.

    INSTANT, with an offset, is when the data was lost. The backup has no record of what was
    enqueued after it was written, so a clock would enqueue that again. Run this before the clocks
    start: then no occurrence up to INSTANT fires, and later ones follow their catch-up rule.
    """
    if instant.tzinfo is None:
        raise click.UsageError("INSTANT needs an offset, as in 2026-11-21T18:00Z or …T18:00+09:00")
    connection, now = connect(url, settings)
    if seconds(instant) > now:
        raise click.UsageError(
            f"{instant.isoformat()} is in the future; no event would fire until then"
        )
    for life in read_clocks(connection, app):
        if life.is_alive(now):
            click.echo(
                f"warning: the clock {life.host}:{life.pid} seems alive and may have enqueued "
                "occurrences again",
                err=True,
            )
    with auditing(connection, app, "restore", utc_text(seconds(instant)), now) as change:
        done = restore(connection, app, seconds(instant))
        change.after = {"moved": done.moved}
    click.echo(
        f"{done.moved} of {done.records} events set to {utc_text(seconds(instant))}; "
        f"{done.records - done.moved} were there or later"
    )
