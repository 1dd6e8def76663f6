"""``clock why EVENT [TIME]``: why an occurrence fired, or did not."""

from __future__ import annotations

from datetime import datetime

import click

from clock.cli import options
from clock.cli.connect import connect
from clock.cli.printing import print_objects
from clock.observe.explanation import explain_occurrence, explanation_object
from clock.observe.formatting import local
from clock.observe.reading import read_event
from clock.observe.rq.workers import count_workers
from clock.schedule.event import seconds


@click.command(
    name="why", epilog=options.examples("why reports.daily", "why reports.daily 2026-11-21T09:30")
)
@click.argument("event")
@click.argument("at", metavar="[TIME]", type=options.Instant(), required=False)
@options.server
@options.overdue_after
@options.as_json_object
def why_event(
    event: str,
    at: datetime | None,
    url: str | None,
    settings: str | None,
    app: str,
    tolerance: float,
    as_json: bool,
) -> None:
    """Explain why an occurrence of EVENT fired or did not.

    TIME is when it was scheduled [default: the last that was due]; without an offset it is local
    time in the zone of EVENT. The ledger remembers some forty decisions per event. Needs no
    schedule file.
    """
    connection, now = connect(url, settings)
    reading = read_event(connection, app, event, now, tolerance=tolerance)
    zone, queue = reading.event.description.zone, reading.event.description.queue
    instant = None if at is None else seconds(options.in_zone(at, zone))
    explanation = explain_occurrence(connection, app, reading, instant, now)
    if as_json:
        print_objects([explanation_object(explanation)])
    else:
        click.echo(f"{event}, {local(explanation.answer.at, zone)} ({zone.name}):")
        click.echo(f"  {explanation.words}")
    if count_workers(connection, [queue])[queue] == 0:
        click.echo(f"warning: no worker listens on the queue {queue!r}", err=True)
