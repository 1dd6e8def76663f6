"""``clock history [EVENT]``: what was decided of each occurrence."""

from __future__ import annotations

import os
from typing import Any

import click

from clock.cli import options
from clock.cli.printing import print_objects, print_table
from clock.connection.server import find_server
from clock.decision import Decision
from clock.ledger.job import job_id
from clock.observe.formatting import local, utc
from clock.observe.reading import read_decisions
from clock.recurrence.zone import Zone

SHOWN = 20


@click.command(name="history", epilog=options.examples("history", "history reports.daily -n 40"))
@click.argument("event", required=False)
@options.server
@options.count(SHOWN, "decisions")
@options.as_json
def history(
    event: str | None, url: str | None, settings: str | None, app: str, count: int, as_json: bool
) -> None:
    """Show the last decisions about EVENT or all events.

    Shows the latest first. The ledger keeps some forty decisions per event. Needs no schedule file.
    """
    connection = find_server(url, settings, os.environ).connect()
    decisions = read_decisions(connection, app, count, event)
    if as_json:
        print_objects(_as_object(app, name, decision) for name, _, decision in decisions)
    else:
        rows = [_row(app, name, decision, zone) for name, zone, decision in decisions]
        print_table(("WHEN", "ZONE", "EVENT", "LATE", "WHAT", "JOB"), rows)


def _row(app: str, event: str, decision: Decision, zone: Zone) -> tuple[str, ...]:
    fires = decision.kind.is_enqueued
    several = (
        "" if decision.count == 1 else f" ({decision.count} from {local(decision.first, zone)})"
    )
    return (
        local(decision.last, zone),
        zone.name,
        event,
        "" if decision.lateness is None else f"{decision.lateness:.3f} s",
        decision.kind.words + several,
        job_id(app, event, decision.last) if fires else "",
    )


def _as_object(app: str, event: str, decision: Decision) -> dict[str, Any]:
    fires = decision.kind.is_enqueued
    return {
        "event": event,
        "scheduled_at": utc(decision.last),
        "first": utc(decision.first),
        "count": decision.count,
        "what": decision.kind.name.lower(),
        "lateness": decision.lateness,
        "job": job_id(app, event, decision.last) if fires else None,
    }
