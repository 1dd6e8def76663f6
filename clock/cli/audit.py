"""``clock audit``: what people did."""

from __future__ import annotations

import click

from clock.cli import options
from clock.cli.connect import connect
from clock.cli.printing import print_objects, print_table
from clock.instant import utc_text
from clock.ledger.audit import read_audit
from clock.ledger.audit_entry import Entry
from clock.observe.audit import audit_object


@click.command(name="audit", epilog=options.examples("audit", "audit -n 500 --json"))
@options.count(50, "entries")
@options.as_json
@options.server
def audit(count: int, as_json: bool, url: str | None, settings: str | None, app: str) -> None:
    """Show what people did, the latest first.

    Sign-ins, pauses, runs by hand, requeues, deletions and backfills, in the web UI, over the API
    and in a shell; failed and refused ones too.
    """
    connection, _ = connect(url, settings)
    entries = read_audit(connection, app, count).entries
    if as_json:
        print_objects(audit_object(entry) for entry in entries)
    elif entries:
        print_table(("WHEN", "WHO", "FROM", "HOW", "WHAT", "ON", "OUTCOME"), [*map(_row, entries)])
    else:
        click.echo("nobody did anything yet")


def _row(entry: Entry) -> tuple[str, ...]:
    actor = entry.actor
    outcome = f"{entry.outcome}: {entry.reason}" if entry.reason else str(entry.outcome)
    row = (actor.name, actor.source, actor.how, entry.what, entry.on, outcome)
    # Strangers write some of it: a control character could change what a terminal shows.
    return utc_text(int(entry.at)), *map(_printable, row)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
