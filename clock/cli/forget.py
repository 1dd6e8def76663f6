"""``clock forget FILE``: the events of a schedule file that no clock runs any more."""

from __future__ import annotations

import click

from clock.cli import options
from clock.cli.auditing import auditing
from clock.cli.connect import connect
from clock.errors import ConflictError
from clock.ledger.clocks import read_clocks
from clock.ledger.descriptions import describe, read_descriptions
from clock.suggest import nearest


@click.command(name="forget", epilog=options.examples("forget trial.py"))
@click.argument("file")
@options.server
def forget(file: str, url: str | None, settings: str | None, app: str) -> None:
    """Mark all events of the schedule FILE as removed.

    Use it after a file was renamed, or ran only once: 'clock status' reports a file that has
    events and no live clock. FILE is its name as 'clock status' shows it. The histories stay, and
    a clock that runs the file again brings its events back.
    """
    connection, now = connect(url, settings)
    there = [event for event in read_descriptions(connection, app).values() if not event.removed]
    events = [event.name for event in there if event.file == file]
    if not events:
        files = sorted({event.file for event in there})
        suggestion = nearest(file, files)
        hint = f"; did you mean {suggestion!r}?" if suggestion else ""
        raise click.UsageError(f"no event of {app!r} is of a schedule file {file!r}{hint}")
    if any(life.file == file and life.is_alive(now) for life in read_clocks(connection, app)):
        raise ConflictError(f"a clock of {file} is alive; stop it first")
    with auditing(connection, app, "forget", file, now):
        for _ in describe(connection, app, file, [], now):
            pass
    click.echo(f"{file} is forgotten: {', '.join(events)}")
