"""``clock history [EVENT]``: what was decided of each occurrence."""

from __future__ import annotations

import os
from typing import Any

import click

from clock.cli import options
from clock.cli.printing import print_objects, print_table
from clock.connection.server import find_server
from clock.observe.formatting import local, utc
from clock.observe.reading import EventDecision, read_decisions

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
        print_objects(map(_as_object, decisions))
    else:
        headings = ("WHEN", "ZONE", "EVENT", "LATE", "WHAT", "JOB", "OUTCOME")
        print_table(headings, [_row(entry) for entry in decisions])


def _row(entry: EventDecision) -> tuple[str, ...]:
    zone, decision, run = entry.zone, entry.decision, entry.run
    several = (
        "" if decision.count == 1 else f" ({decision.count} from {local(decision.first, zone)})"
    )
    return (
        local(decision.last, zone),
        zone.name,
        entry.event,
        "" if decision.lateness is None else f"{decision.lateness:.3f} s",
        decision.kind.words + several,
        entry.job or "",
        "" if run is None else f"{run.outcome}" + (f": {run.error}" if run.error else ""),
    )


def _as_object(entry: EventDecision) -> dict[str, Any]:
    decision, run = entry.decision, entry.run
    return {
        "event": entry.event,
        "scheduled_at": utc(decision.last),
        "first": utc(decision.first),
        "count": decision.count,
        "what": decision.kind.name.lower(),
        "lateness": decision.lateness,
        "job": entry.job,
        "outcome": None if run is None else run.outcome,
        "error": None if run is None else run.error,
    }
