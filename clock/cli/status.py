"""``clock status``: is it alive, and did everything fire."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from typing import Any

import click
from redis import Redis

from clock import exit_codes
from clock.cli import options
from clock.cli.table import table
from clock.connection.server import find_server
from clock.ledger.clocks import Life
from clock.ledger.time_source import server_now
from clock.observe.formatting import local, span, utc_exact
from clock.observe.objects import clock_object, conflict_object, event_object
from clock.observe.reading import read_status
from clock.observe.rq.workers import broken_queues, count_workers
from clock.observe.state import State, last_lateness
from clock.observe.status import AppStatus, EventStatus


@click.command(name="status")
@options.server
@options.overdue_after
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(url: str | None, settings: str | None, app: str, tolerance: float, as_json: bool) -> int:
    """Show the clocks that are alive, and every event with its state, its last and next time.

    Needs no schedule file. The exit code is 0 where all is well; 6 where no clock is alive, or none
    of one of the schedule files; 7 where one is, and something should have fired and did not, or
    two say different things of an event. All of that is said on stderr, as is a queue that no
    worker listens on, or a schedule file that declares no events, which change nothing about the
    code.
    """
    server = find_server(url, settings, os.environ)
    connection = server.connect()
    now = server_now(connection, time.time())
    found = read_status(connection, app, now, tolerance=tolerance)
    workers = _workers(connection, found)
    if as_json:
        click.echo(json.dumps(_as_object(found, server.shown, workers), ensure_ascii=False))
    else:
        for line in _lines(found, server.shown):
            click.echo(line)
    broken = broken_queues(connection, (each.description.queue for each in found.overdue))
    for line in _complaints(found, workers, broken):
        click.echo(line, err=True)
    return exit_code(found)


def exit_code(found: AppStatus) -> int:
    """The exit code of a health check."""
    if not found.has_clocks:
        return exit_codes.NO_CLOCK
    wrong = found.overdue or found.ahead or found.conflicts
    return exit_codes.OVERDUE if wrong else exit_codes.OK


def _workers(connection: Redis, found: AppStatus) -> Mapping[str, int]:
    used = (each.description.queue for each in found.events if each.state is not State.DISABLED)
    return count_workers(connection, used)


def _lines(found: AppStatus, server: str) -> Iterator[str]:
    yield f"server  {server}  app {found.app}"
    for life in found.alive:
        yield f"clock   {_life(life, found.now)}"
    rows = [_row(each, found.now) for each in found.events]
    if rows:
        yield ""
        yield from table(("EVENT", "STATE", "LAST", "LATE", "NEXT", "IN"), rows)
    counted = Counter(each.state for each in found.events)
    yield ""
    words = [f"{counted[state]} {state}" for state in State if counted[state]]
    yield f"{_many(len(found.events), 'event')}" + (f": {', '.join(words)}" if words else "")


def _life(life: Life, now: float) -> str:
    return (
        f"{life.host}:{life.pid}  {life.file}  {_many(life.events, 'event')}, zone {life.zone}, "
        f"version {life.version}, up {span(now - life.started)}, "
        f"last tick {span(now - life.last_tick)} ago"
    )


def _row(each: EventStatus, now: float) -> tuple[str, ...]:
    zone = each.description.zone
    fired = None if each.record is None else each.record.fired
    lateness = last_lateness(each.record)
    return (
        each.name,
        each.state,
        "never" if fired is None else local(fired, zone),
        "" if lateness is None else f"{lateness:.3f} s",
        "" if each.next is None else local(each.next, zone),
        "" if each.next is None else span(each.next - now),
    )


def _complaints(found: AppStatus, workers: Mapping[str, int], broken: Set[str]) -> Iterator[str]:
    if not found.alive:
        last = found.last_tick()
        ago = "none ever was" if last is None else f"the last tick was {span(found.now - last)} ago"
        yield f"no clock is alive: {ago}"
    else:
        for file in found.missing:
            yield f"no clock of {file} is alive"
    for conflict in found.conflicts:
        yield f"conflict: {conflict.sentence}"
    for file in dict.fromkeys(life.file for life in found.alive if not life.events):
        yield f"warning: {file} declares no events"
    for each in found.overdue:
        queue = each.description.queue
        why = f"; the key of its queue {queue!r} holds no queue" if queue in broken else ""
        yield (
            f"overdue: {each.name} should have fired at "
            f"{local(each.pending or 0, each.description.zone)}{why}"
        )
    for event in found.ahead:
        decided = 0 if event.record is None else event.record.decided
        yield (
            f"ahead: {event.name} fires nothing before "
            f"{local(decided, event.description.zone)}: its record stands there, in the server's "
            f"future; clock rewind {event.name!r} sets it back"
        )
    for queue in sorted(name for name, count in workers.items() if count == 0):
        events = sum(1 for each in found.events if each.description.queue == queue)
        yield f"warning: no worker listens on the queue {queue!r} of {_many(events, 'event')}"


def _many(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")


def _as_object(found: AppStatus, server: str, workers: Mapping[str, int]) -> dict[str, Any]:
    return {
        "app": found.app,
        "server": server,
        "healthy": found.is_healthy,
        "last_tick": utc_exact(found.last_tick()),
        "clocks": [clock_object(life) for life in found.alive],
        "files_without_a_clock": list(found.missing),
        "overdue": [each.name for each in found.overdue],
        "unreadable": list(found.unreadable),
        "ahead": [each.name for each in found.ahead],
        "conflicts": [conflict_object(each) for each in found.conflicts],
        "queues": [{"queue": name, "workers": count} for name, count in workers.items()],
        "events": [event_object(each) for each in found.events],
    }
