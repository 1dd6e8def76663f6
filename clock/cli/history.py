"""``clock history [EVENT]``: what was decided of each occurrence, and what its job printed."""

from __future__ import annotations

import os
from typing import Any

import click

from clock.cli import options
from clock.cli.printing import print_objects, print_table
from clock.connection.server import find_server
from clock.errors import JobUnknownError
from clock.observe.formatting import local, utc
from clock.observe.objects import output_object
from clock.observe.reading import EventDecision, read_decisions
from clock.recurrence.zone import zone
from clock.runs.output import RunOutput, read_outputs

SHOWN = 20


@click.command(
    name="history",
    epilog=options.examples(
        "history", "history reports.daily -n 40", "history --output reports-daily-20261121T083000Z"
    ),
)
@click.argument("event", required=False)
@options.server
@options.count(SHOWN, "decisions")
@click.option(
    "--output", "job", metavar="JOB", help="Show what the runs of this job printed instead."
)
@options.as_json
def history(
    event: str | None,
    url: str | None,
    settings: str | None,
    app: str,
    count: int,
    job: str | None,
    as_json: bool,
) -> None:
    """Show the last decisions about EVENT or all events.

    Shows the latest first. The ledger keeps some forty decisions per event. Needs no schedule file.
    """
    connection = find_server(url, settings, os.environ).connect()
    if job is not None:
        _show_output(read_outputs(connection, app, job), job, as_json=as_json)
        return
    decisions = read_decisions(connection, app, count, event)
    if as_json:
        print_objects(map(_as_object, decisions))
    else:
        headings = ("WHEN", "ZONE", "EVENT", "LATE", "WHAT", "JOB", "OUTCOME")
        print_table(headings, [_row(entry) for entry in decisions])


def _show_output(outputs: list[RunOutput], job: str, *, as_json: bool) -> None:
    if not outputs:
        raise JobUnknownError(f"no output of job {job!r} is kept, or no longer")
    if as_json:
        print_objects(map(output_object, outputs))
    else:
        click.echo("\n".join(map(_as_text, outputs)), nl=False)


def _as_text(output: RunOutput) -> str:
    of = "" if output.event is None else f" of {output.event}"
    ended = local(output.ended, zone("UTC"))
    head = f"{output.job}{of}, attempt {output.attempt}: {output.outcome}, {ended}"
    cut = f", the last lines of {output.written} bytes" if output.is_cut else ""
    return f"{head}{cut}\n{output.text}"


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
