"""``clock backfill FILE EVENT``: enqueue past occurrences that have no job."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from itertools import islice

import click
from redis import Redis

from clock import keys
from clock.cli import options
from clock.cli.auditing import auditing
from clock.cli.connect import connect
from clock.cli.printing import print_table
from clock.instant import utc_text
from clock.ledger.backfill import Backfill, Standing
from clock.ledger.records import read_record
from clock.ledger.time_source import server_now
from clock.observe.backfill import Candidate, candidates
from clock.observe.formatting import local
from clock.schedule.event import Event, seconds
from clock.schedule.load import load

WORDS = {
    Standing.FIRED: "fired",
    Standing.BACKFILLED: "already backfilled",
    Standing.TAKEN: "not enqueued: another job has the id",
    Standing.PENDING: "left to its clock",
}


@click.command(
    name="backfill",
    epilog=options.examples(
        "backfill schedules/main.py orders --from 2026-11-21 --dry-run",
        "backfill schedules/main.py orders --from 2026-11-21T09:00Z --until 2026-11-21T12:00Z",
    ),
)
@options.schedule_file
@click.argument("name", metavar="EVENT")
@click.option("--from", "start", type=options.Instant(), required=True, help="Start, included.")
@click.option("--until", type=options.Instant(), help="End, included [default: now]")
@click.option("--dry-run", is_flag=True, help="List the occurrences without enqueueing them.")
@options.server_and_serializer
def backfill(
    file: str,
    name: str,
    start: datetime,
    until: datetime | None,
    dry_run: bool,
    url: str | None,
    settings: str | None,
    app: str,
    serializer: str,
) -> None:
    """Enqueue past occurrences of EVENT that have no job.

    Enqueues the oldest first. Skips occurrences that fired (as far as the ledger remembers), that
    were backfilled before, or that the clock may still enqueue. Ignores pauses, conditions and
    overlap. An instant without an offset is local time in the schedule's zone.
    """
    schedule = load(file, serializer=serializer)
    event = options.event_named(schedule, name)
    connection, now = connect(url, settings)
    first = seconds(options.in_zone(start, schedule.zone))
    last = int(now) if until is None else seconds(options.in_zone(until, schedule.zone))
    if last > now:
        raise click.UsageError("--until is in the future; the clock enqueues future occurrences")
    history = read_record(connection, app, name).history
    chosen = list(islice(candidates(event.recurrence, first, last, history), keys.BACKFILLED + 1))
    if len(chosen) > keys.BACKFILLED:
        raise click.UsageError(
            f"more than {keys.BACKFILLED} occurrences; backfill shorter ranges one after another"
        )
    ledger = Backfill.of_event(connection, app=app, event=event, serializer=serializer)
    if dry_run:
        standings = ledger.look_all([candidate.scheduled for candidate in chosen], now)
        _list(event, chosen, standings)
    else:
        with auditing(connection, app, "backfill", name, now) as change:
            standings = _push(ledger, chosen, connection)
            change.after = {
                "from": utc_text(first),
                "until": utc_text(last),
                "enqueued": standings.count(Standing.OPEN),
            }
    _summarize(standings, "would be enqueued" if dry_run else "enqueued")


def _push(ledger: Backfill, chosen: Sequence[Candidate], connection: Redis) -> list[Standing]:
    with _progress(chosen) as shown:
        scheduled = (candidate.scheduled for candidate in shown)
        return ledger.push_all(scheduled, lambda: server_now(connection, time.time()))


def _progress(chosen: Sequence[Candidate]) -> AbstractContextManager[Iterable[Candidate]]:
    if not sys.stderr.isatty():
        return nullcontext(chosen)
    return click.progressbar(chosen, label="backfilling", file=sys.stderr)


def _list(event: Event, chosen: Sequence[Candidate], standings: Sequence[Standing]) -> None:
    rows = [
        (local(candidate.scheduled, event.zone), event.zone.name, _words(candidate, standing))
        for candidate, standing in zip(chosen, standings, strict=True)
    ]
    print_table(("WHEN", "ZONE", "WHAT"), rows)


def _words(candidate: Candidate, standing: Standing) -> str:
    if standing is not Standing.OPEN:
        return WORDS[standing]
    if candidate.was is None:
        return "to enqueue: not recorded"
    return f"to enqueue: {candidate.was.name.lower().replace('_', ' ')}"


def _summarize(standings: Sequence[Standing], done: str) -> None:
    counted = Counter(standings)
    parts = [f"{counted[Standing.OPEN]} of {len(standings)} {done}"]
    parts += [
        f"{counted[standing]} {word}" for standing, word in WORDS.items() if counted[standing]
    ]
    click.echo(", ".join(parts))
