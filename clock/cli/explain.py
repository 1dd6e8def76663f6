"""``clock explain FILE [EVENT]``: an event in words, and how clock changes affect it."""

from __future__ import annotations

from datetime import datetime

import click

from clock.cli import options
from clock.cli.printing import print_objects, utc_of
from clock.schedule.explain import Explanation, explain
from clock.schedule.load import load


@click.command(
    name="explain",
    epilog=options.examples(
        "explain schedules/main.py", "explain schedules/main.py reports.daily -n 10"
    ),
)
@options.schedule_file
@click.argument("event", required=False)
@options.serializer
@options.count(5, "upcoming occurrences")
@click.option(
    "--from", "start", type=options.Instant(), help="Explain as of this instant [default: now]"
)
@options.as_json
def explain_events(
    file: str,
    event: str | None,
    serializer: str,
    count: int,
    start: datetime | None,
    as_json: bool,
) -> None:
    """Explain in words when EVENT, or every event, fires.

    Shows its zone, its upcoming occurrences and every clock change of the coming year that affects
    it. Needs no server.
    """
    schedule = load(file, serializer=serializer)
    at = options.instant_or_now(start, schedule.zone)
    for number, chosen in enumerate(options.chosen(schedule, event)):
        explanation = explain(chosen, at, count)
        if as_json:
            print_objects([_as_object(explanation)])
            continue
        if number:
            click.echo()
        for line in _lines(explanation):
            click.echo(line)


def _lines(explanation: Explanation) -> list[str]:
    lines = [explanation.name, f"  {explanation.sentence}"]
    lines += [f"  note    {note}" for note in explanation.notes]
    for occurrence in explanation.next:
        mark = f"  {occurrence.mark}" if occurrence.mark else ""
        lines.append(f"  next    {occurrence.local:%a %Y-%m-%d %H:%M:%S %z}{mark}")
    if not explanation.next:
        lines.append("  next    never")
    lines += [f"  {change.kind:<6}  {change.what}" for change in explanation.changes]
    if not explanation.changes:
        lines.append("  no clock change of the coming year affects it")
    return lines


def _as_object(explanation: Explanation) -> dict[str, object]:
    return {
        "event": explanation.name,
        "sentence": explanation.sentence,
        "notes": list(explanation.notes),
        "tz": explanation.tz,
        "next": [
            {
                "scheduled_at": utc_of(occurrence.scheduled_at),
                "local": occurrence.local.isoformat(),
                "mark": occurrence.mark,
            }
            for occurrence in explanation.next
        ],
        "changes": [
            {
                "kind": change.kind,
                "at": utc_of(change.at),
                "fires": [utc_of(fires) for fires in change.fires],
                "what": change.what,
            }
            for change in explanation.changes
        ],
    }
