"""``clock explain FILE [EVENT]``: an event in words, and what the clock changes do to it."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import click

from clock import exit_codes
from clock.cli import options
from clock.instant import utc_text
from clock.schedule.event import seconds
from clock.schedule.explain import Explanation, explain
from clock.schedule.load import load


@click.command(name="explain")
@options.schedule_file
@click.argument("event", required=False)
@options.serializer
@click.option("-n", "count", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--from", "start", type=options.Instant(), help="As of this instant; else now.")
@options.as_json
def explain_events(
    file: str,
    event: str | None,
    serializer: str,
    count: int,
    start: datetime | None,
    as_json: bool,
) -> int:
    """Explain EVENT of FILE, or every one of them: in words, its zone, its next -n occurrences, and
    every clock change of the coming year that touches it. Needs no server.
    """
    schedule = load(file, serializer=serializer)
    at = (
        datetime.fromtimestamp(time.time(), UTC)
        if start is None
        else options.in_zone(start, schedule.zone)
    )
    for number, chosen in enumerate(options.chosen(schedule, event)):
        explanation = explain(chosen, at, count)
        if as_json:
            click.echo(json.dumps(_as_object(explanation), ensure_ascii=False))
            continue
        if number:
            click.echo()
        for line in _lines(explanation):
            click.echo(line)
    return exit_codes.OK


def _lines(explanation: Explanation) -> list[str]:
    lines = [explanation.name, f"  {explanation.sentence}"]
    for occurrence in explanation.next:
        mark = f"  {occurrence.mark}" if occurrence.mark else ""
        lines.append(f"  next    {occurrence.local:%a %Y-%m-%d %H:%M:%S %z}{mark}")
    if not explanation.next:
        lines.append("  next    never")
    lines += [f"  {change.kind:<6}  {change.what}" for change in explanation.changes]
    if not explanation.changes:
        lines.append("  no clock change of the coming year touches it")
    return lines


def _as_object(explanation: Explanation) -> dict[str, object]:
    return {
        "event": explanation.name,
        "sentence": explanation.sentence,
        "tz": explanation.tz,
        "next": [
            {
                "scheduled_at": _utc(occurrence.scheduled_at),
                "local": occurrence.local.isoformat(),
                "mark": occurrence.mark,
            }
            for occurrence in explanation.next
        ],
        "changes": [
            {
                "kind": change.kind,
                "at": _utc(change.at),
                "fires": [_utc(fires) for fires in change.fires],
                "what": change.what,
            }
            for change in explanation.changes
        ],
    }


def _utc(instant: datetime) -> str:
    return utc_text(seconds(instant))
