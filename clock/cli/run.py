"""``clock run EVENT``: enqueue its job now."""

from __future__ import annotations

import click

from clock.cli import options
from clock.cli.auditing import auditing
from clock.cli.connect import connect
from clock.ledger.manual import run_now


@click.command(name="run", epilog=options.examples("run reports.daily"))
@click.argument("event")
@options.server
def run_event(event: str, url: str | None, settings: str | None, app: str) -> None:
    """Enqueue the job of EVENT now.

    The schedule of EVENT does not change; the job is marked as manual.
    """
    connection, now = connect(url, settings)
    with auditing(connection, app, "run", event, now) as change:
        identifier = run_now(connection, app, event, now)
        change.after = {"job": identifier}
    click.echo(f"{event} is enqueued as {identifier}")
