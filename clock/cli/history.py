"""``clock history [EVENT]``: what was decided of each occurrence."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import click

from clock import exit_codes
from clock.cli import options
from clock.cli.table import table
from clock.connection.server import find_server
from clock.decision import Decision
from clock.ledger.descriptions import Description
from clock.ledger.job import job_id
from clock.ledger.records import find_record
from clock.observe.formatting import local, utc
from clock.observe.snapshot import read_snapshot
from clock.recurrence.zone import Zone, zone

SHOWN = 20


@click.command(name="history", epilog=options.examples("history", "history reports.daily -n 40"))
@click.argument("event", required=False)
@options.server
@options.count(SHOWN, "decisions")
@options.as_json
def history(
    event: str | None, url: str | None, settings: str | None, app: str, count: int, as_json: bool
) -> int:
    """Show the last decisions about EVENT or all events.

    Shows the latest first. The ledger keeps some forty decisions per event. Needs no schedule file.
    """
    connection = find_server(url, settings, os.environ).connect()
    if event is not None:
        find_record(connection, app, event)
    snapshot = read_snapshot(connection, app, count)
    names = snapshot.records if event is None else [event]
    records = {name: snapshot.records[name] for name in names if name in snapshot.records}
    decisions = [
        (decision, name) for name, record in records.items() for decision in record.history
    ]
    decisions = sorted(decisions, key=lambda pair: pair[0].last, reverse=True)[:count]
    if as_json:
        for decision, name in decisions:
            click.echo(json.dumps(_as_object(app, name, decision), ensure_ascii=False))
        return exit_codes.OK
    rows = [
        _row(app, name, decision, zone_of(snapshot.descriptions, name))
        for decision, name in decisions
    ]
    for line in table(("WHEN", "ZONE", "EVENT", "LATE", "WHAT", "JOB"), rows):
        click.echo(line)
    return exit_codes.OK


def zone_of(descriptions: Mapping[str, Description], event: str) -> Zone:
    """The zone of an event; UTC where its clock has not said it."""
    return descriptions[event].zone if event in descriptions else zone("UTC")


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
