"""``clock status``: is it alive, and did everything fire."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from typing import Any

import click
from redis import Redis

from clock import exit_codes
from clock.cli import options
from clock.cli.printing import print_objects, table
from clock.connection.server import find_server
from clock.errors import HOLDS_NO_QUEUE
from clock.instant import utc_text
from clock.ledger.clocks import Life
from clock.ledger.time_source import server_now
from clock.observe.formatting import local, span
from clock.observe.last_errors import read_last_errors
from clock.observe.objects import event_object, status_object
from clock.observe.reading import read_status
from clock.observe.rq.workers import broken_queues, count_workers
from clock.observe.state import State, last_lateness, last_manual
from clock.observe.status import AppStatus, EventStatus


@click.command(name="status", epilog=options.examples("status", "status --json"))
@options.server
@options.overdue_after
@options.as_json_object
def status(url: str | None, settings: str | None, app: str, tolerance: float, as_json: bool) -> int:
    """Show the live clocks and the state of every event.

    Exits with 0 if all is well; with 6 if no clock is alive, or none for one of the schedule files;
    with 7 if a clock is alive but an event is overdue or ahead, two clocks disagree about it, or a
    source is failing. Each reason is a line on stderr. A queue without a worker and a schedule file
    without events are warnings and do not change the exit code. Needs no schedule file.
    """
    server = find_server(url, settings, os.environ)
    connection = server.connect()
    now = server_now(connection, time.time())
    app_status = read_status(connection, app, now, tolerance=tolerance)
    workers = _workers(connection, app_status)
    if as_json:
        print_objects([_as_object(app_status, server.shown, workers)])
    else:
        for line in _lines(app_status, server.shown, read_last_errors(connection, app_status)):
            click.echo(line)
    broken = broken_queues(connection, (event.description.queue for event in app_status.overdue))
    for line in _complaints(app_status, workers, broken):
        click.echo(line, err=True)
    return exit_code(app_status)


def exit_code(status: AppStatus) -> int:
    """The exit code of a health check."""
    if not status.has_clocks:
        return exit_codes.NO_CLOCK
    wrong = status.overdue or status.ahead or status.conflicts or status.failing_sources
    return exit_codes.OVERDUE if wrong else exit_codes.OK


def _workers(connection: Redis, status: AppStatus) -> Mapping[str, int]:
    used = (event.description.queue for event in status.events if event.description.enabled)
    return count_workers(connection, used)


def _lines(status: AppStatus, server: str, messages: Mapping[str, str]) -> Iterator[str]:
    yield f"server  {server}  app {status.app}"
    for life in status.alive:
        yield f"clock   {_life(life, status.now)}"
    rows = [_row(event, status.now) for event in status.events]
    if rows:
        yield ""
        yield from table(("EVENT", "STATE", "LAST", "LATE", "NEXT", "IN"), rows)
    notes = [line for event in status.events for line in _notes(event, status, messages)]
    if notes:
        yield ""
        yield from notes
    counted = Counter(event.state for event in status.events)
    yield ""
    words = [f"{counted[state]} {state}" for state in State if counted[state]]
    yield f"{_many(len(status.events), 'event')}" + (f": {', '.join(words)}" if words else "")


def _life(life: Life, now: float) -> str:
    return (
        f"{life.host}:{life.pid}  {life.file}  {_many(life.events, 'event')}, zone {life.zone}, "
        f"version {life.version}, up {span(now - life.started)}, "
        f"last tick {span(now - life.last_tick)} ago"
    )


def _row(event: EventStatus, now: float) -> tuple[str, ...]:
    zone = event.description.zone
    fired = None if event.record is None else event.record.fired
    manual = last_manual(event.record)
    ran = max((at for at in (fired, manual) if at is not None), default=None)
    lateness = last_lateness(event.record) if ran == fired else None
    return (
        event.name,
        event.state,
        "never" if ran is None else local(ran, zone),
        "" if lateness is None else f"{lateness:.3f} s",
        "" if event.next is None else local(event.next, zone),
        "" if event.next is None else span(event.next - now),
    )


def _notes(event: EventStatus, status: AppStatus, messages: Mapping[str, str]) -> Iterator[str]:
    """What a person wants to know of an event that is paused or failing."""
    zone, pause = event.description.zone, event.pause
    if pause is not None:
        until = "it is resumed" if pause.until is None else local(pause.until, zone)
        reason = f": {pause.reason}" if pause.reason else ""
        since = local(pause.since, zone)
        yield f"paused: {event.name} by {pause.by} since {since}, until {until}{reason}"
    if event.description.refused:
        source = event.description.source
        yield f"refused: {event.name}, a row of {source}: {event.description.refused}"
    if event.is_failing and event.name in status.runs:
        run = status.runs[event.name].newest
        message = messages.get(event.name) or run.error or run.outcome
        yield f"failing: {event.name} at {local(run.ended, zone)}: {message} (job {run.job})"


def _complaints(status: AppStatus, workers: Mapping[str, int], broken: Set[str]) -> Iterator[str]:
    if not status.alive:
        last = status.last_tick()
        ago = (
            "none has run yet"
            if last is None
            else f"the last tick was {span(status.now - last)} ago"
        )
        yield f"no clock is alive: {ago}"
    else:
        for file in status.missing:
            yield f"no clock of {file} is alive"
    for conflict in status.conflicts:
        yield f"conflict: {conflict.sentence}"
    for source in status.failing_sources:
        since = utc_text(int(source.failing_since or 0))
        yield f"source failing: {source.name} since {since}: {source.error}"
    empty = (life.file for life in status.alive if not life.events and not life.sources)
    for file in dict.fromkeys(empty):
        yield f"warning: {file} declares no events"
    for event in status.overdue:
        queue = event.description.queue
        why = f"; the key of its queue {queue!r} {HOLDS_NO_QUEUE}" if queue in broken else ""
        yield (
            f"overdue: {event.name} should have fired at "
            f"{local(event.pending or 0, event.description.zone)}{why}"
        )
    for event in status.ahead:
        decided = 0 if event.record is None else event.record.decided
        yield (
            f"ahead: {event.name} fires nothing before "
            f"{local(decided, event.description.zone)}: its record is ahead of the "
            f"server's time; clock rewind {event.name!r} sets it back"
        )
    for queue in sorted(name for name, count in workers.items() if count == 0):
        events = sum(1 for event in status.events if event.description.queue == queue)
        yield f"warning: no worker listens on the queue {queue!r} of {_many(events, 'event')}"


def _many(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")


def _as_object(status: AppStatus, server: str, workers: Mapping[str, int]) -> dict[str, Any]:
    return {
        "app": status.app,
        "server": server,
        **status_object(status),
        "queues": [{"queue": name, "workers": count} for name, count in workers.items()],
        "events": [event_object(event) for event in status.events],
    }
