"""``clock FILE``: run the clock."""

from __future__ import annotations

import atexit
import gc
import os
import select
import sys
import time
import traceback
from datetime import datetime
from itertools import islice
from typing import Any

import click

from clock import exit_codes, log
from clock.cli import options
from clock.connection.server import find_server
from clock.errors import ServerError, TimeSourceError
from clock.ledger.ledger import Ledger
from clock.log import Style, log_always_to
from clock.loop.heartbeat import Heartbeat
from clock.loop.loop import Loop
from clock.loop.outage import Outage
from clock.loop.side_threads import is_any_busy
from clock.loop.token import process_token
from clock.output import unblock_output
from clock.recurrence.user_code import runs_user_code
from clock.schedule.event import Event
from clock.schedule.load import load
from clock.schedule.schedule import Schedule
from clock.settings import CONDITION_TIMEOUT, read_settings
from clock.sources import asking_sources
from clock.stop import Abandon, Stop, stopped_by_signals
from clock.version import VERSION
from clock.watchers.webhook_threads import start_webhook_threads

SHOWN_AT_START = 20
"""Events whose next time is logged at the start."""

LAST_ANSWERS = 0.5
"""Seconds that user code has, at the end, to return."""


@click.command(
    name="start",
    hidden=True,
    epilog=options.examples("schedules/main.py", "schedules/main.py -c settings --log json"),
)
@options.schedule_file
@options.server_and_serializer
@options.log_format
@options.overdue_after
@click.option(
    "--condition-timeout",
    type=click.FloatRange(min=0, min_open=True),
    envvar="CLOCK_CONDITION_TIMEOUT",
    default=CONDITION_TIMEOUT,
    show_default=True,
    show_envvar=True,
    help="Seconds a condition (if_) may take before it counts as an error.",
)
@options.conflict_after
def start(
    file: str,
    url: str | None,
    settings: str | None,
    app: str,
    serializer: str,
    style: Style | None,
    tolerance: float,
    condition_timeout: float,
    conflict_after: float,
) -> int:
    """Run the clock: enqueue what FILE declares, until SIGTERM, SIGINT or SIGHUP."""
    unblock_output()
    # The schedule lives as long as the process: collecting garbage in it is a waste.
    gc.disable()
    schedule = load(file, serializer=serializer)
    gc.freeze()
    gc.enable()
    server = find_server(url, settings, os.environ)
    connection = server.connect()
    log_always_to(sys.stdout, style)
    # Seconds until user code in another thread yields to the loop.
    sys.setswitchinterval(0.0005)
    stop, token = Stop(), process_token()
    own_settings = read_settings(settings, os.environ)
    ping_url, webhooks = own_settings.ping_url, own_settings.webhooks
    try:
        with stopped_by_signals(stop):
            _announce(schedule, server.shown, app, time.time())
            own: dict[str, Any] = {"app": app, "token": token, "serializer": serializer}
            start_webhook_threads(
                webhooks, connection, app=app, token=token, tolerance=tolerance, now=time.time
            )
            limits: dict[str, Any] = {"tolerance": tolerance, "conflict_after": conflict_after}
            with asking_sources(connection, schedule, **own) as rows:
                if rows is not None:
                    rows.on_many = gc.freeze
                Loop(
                    list(schedule.events.values()),
                    Ledger(connection, has_sources=bool(schedule.sources), **own),
                    stop,
                    heartbeat=Heartbeat(connection, schedule, ping_url=ping_url, **limits, **own),
                    condition_timeout=condition_timeout,
                    outage=Outage(is_start=True),
                    rows=rows,
                ).run()
    except ServerError as error:
        raise ServerError(f"{server.shown}: {error}") from None
    except Abandon:
        log.warning("abandoned", reason="the server did not answer the current claim")
    except TimeSourceError:
        raise
    except Exception:
        log.critical("crashed")
        traceback.print_exc()
        return exit_codes.CRASHED
    log.info("stopped")
    _end_beside_user_code(exit_codes.OK)
    return exit_codes.OK


def _end_beside_user_code(code: int) -> None:
    """End the process where user code still runs beside it: the interpreter would be taken down
    under its thread, which crashes some extensions, as while they are imported.
    """
    deadline = time.monotonic() + LAST_ANSWERS
    while is_any_busy() and time.monotonic() < deadline:
        select.select([], [], [], 0.01)
    if is_any_busy():
        # What runs at the end of the interpreter, as the output of the last lines.
        atexit._run_exitfuncs()
        os._exit(code)


def _announce(schedule: Schedule, server: str, app: str, now: float) -> None:
    log.info(
        "started",
        version=VERSION,
        file=schedule.path,
        zone=schedule.zone.name,
        events=len(schedule.events),
        sources=len(schedule.sources) or None,
        server=server,
        app=app,
    )
    if not schedule.events and not schedule.sources:
        reason = f"{schedule.path} declares no events, so nothing will ever fire"
        log.warning("no events", reason=reason)
    for event in islice(schedule.events.values(), SHOWN_AT_START):
        following = _next(event, now)
        log.info("next", event=event.name, every=event.rule, zone=event.zone.name, next=following)


def _next(event: Event, now: float) -> datetime | str:
    if not event.enabled:
        return "disabled"
    if runs_user_code(event.recurrence):
        # It may take any time; the loop runs it in a thread.
        return "unknown until its code has run"
    following = event.recurrence.next(int(now))
    return "never" if following is None else event.local(following)
