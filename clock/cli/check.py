"""``clock check FILE``: find the mistakes before the clock starts."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from clock.cli import options
from clock.errors import ScheduleError, all_mistakes
from clock.schedule.ask_conditions import failing_conditions
from clock.schedule.load import read
from clock.schedule.resolve import resolve_tasks
from clock.schedule.schedule import Schedule
from clock.schedule.warnings import find_warnings

_PEERS = {
    r"\bbeat_schedule\b|\bon_after_configure\b": "Celery",
    r"\brq\.cron\b|^from rq import .*\bcron\b|^\s*register\(": "'rq cron'",
    r"\bapscheduler\b|\badd_job\(": "APScheduler",
    r"\brq_scheduler\b": "rq-scheduler",
}
"""What a file of another scheduler has in it, and that scheduler."""

_IMPORTS = {
    "Celery": "celery MODULE:APP",
    "'rq cron'": "rq-cron FILE",
    "rq-scheduler": "rq-scheduler --url URL",
}
"""The words behind ``clock import`` for the schedulers that it reads."""


@click.command(
    epilog=options.examples("check schedules/main.py", "check schedules/main.py --no-import"),
)
@options.schedule_file
@options.serializer
@click.option("--no-import", is_flag=True, help="Do not import the tasks.")
@click.option("--no-conditions", is_flag=True, help="Do not call the conditions.")
def check(file: str, serializer: str, no_import: bool, no_conditions: bool) -> None:
    """Check FILE and import every task it names.

    Calls every condition once, checks the settings too, and needs no server. Warns about what is
    allowed but may surprise, such as a time that a clock change skips, a file without events, or a
    queue that is not among QUEUES of the settings. Warnings do not change the exit code.
    """
    options.settings_of_command()
    schedule, mistakes = read(file, serializer=serializer)
    if os.path.basename(file) == "clock.py":
        message = "a file named clock.py hides the package 'clock'; rename it, as to schedule.py"
        mistakes.append(ScheduleError(file, None, message))
    unresolved: list[str] = []
    if not no_import:
        unresolved, wrong = resolve_tasks(schedule)
        mistakes += wrong
    if mistakes:
        raise all_mistakes(mistakes, schedule.path)
    now = time.time()
    for warning in find_warnings(schedule, datetime.fromtimestamp(now, UTC)):
        click.echo(f"{warning.path}:{warning.line}: warning: {warning.message}", err=True)
    for line in _more_warnings(schedule, int(now), ask=not no_conditions):
        click.echo(line, err=True)
    for message in unresolved:
        click.echo(f"warning: {message}", err=True)
    count = f"{len(schedule.events)} event" + ("" if len(schedule.events) == 1 else "s")
    click.echo(f"{file}: {count}, zone {schedule.zone.name}, no mistakes")


def _more_warnings(schedule: Schedule, now: int, *, ask: bool) -> Iterator[str]:
    """The warnings that need the settings, the file's text or a call of its functions."""
    queues = options.queues_of_command()
    for event in schedule.events.values():
        if queues and event.job.queue not in queues:
            yield (
                f"{event.path}:{event.line}: warning: {event.name!r} goes to the queue "
                f"{event.job.queue!r}, which is not among QUEUES of the settings, "
                f"{', '.join(queues)}"
            )
    for event, failure in failing_conditions(schedule, now) if ask else ():
        at = event.local(event.recurrence.next(now) or now)
        yield (
            f"{event.path}:{event.line}: warning: the condition of {event.name!r} failed for "
            f"{at}: {failure}"
        )
    if not schedule.events and not schedule.sources:
        yield f"{schedule.path}: warning: declares no events{_peer(schedule.path)}"


def _peer(path: str) -> str:
    source = Path(path).read_text(errors="replace")
    for pattern, peer in _PEERS.items():
        if re.search(pattern, source, re.MULTILINE):
            hint = f"; see 'clock import {_IMPORTS[peer]}'" if peer in _IMPORTS else ""
            return f"; it looks like one of {peer}, whose schedule this clock does not read{hint}"
    return ""
