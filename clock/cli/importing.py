"""``clock import``: the schedule of another scheduler, as a schedule file."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TextIO

import click

from clock import exit_codes
from clock.cli import options
from clock.importing.crontab import read_crontab
from clock.importing.imported import Imported
from clock.importing.local_zone import local_zone
from clock.importing.schedule_text import schedule_text

_zone: Callable[[options.Command], options.Command] = click.option(
    "--tz",
    "zone",
    default=lambda: local_zone(os.environ),
    help="Zone of its times [default: that of this machine]",
)


@click.group(
    name="import",
    epilog=options.examples(
        "import crontab /var/spool/cron/crontabs/app > schedule.py",
        "import rq-cron cron_config.py > schedule.py",
        "import rq-scheduler --url redis://localhost/0 > schedule.py",
        "import celery shop.celery:app > schedule.py",
    ),
)
def import_schedule() -> None:
    """Write another scheduler's schedule as a schedule file.

    The file is on standard output. What has no counterpart is on standard error, a line each, and
    the exit code is 1 where anything was left out.
    """


@import_schedule.command(epilog=options.examples("import crontab crontab.txt > schedule.py"))
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--system", is_flag=True, help="The sixth column is a user, as in /etc/crontab.")
@_zone
def crontab(file: TextIO, system: bool, zone: str) -> int:
    """Import a crontab; FILE may be - for standard input."""
    return _write(read_crontab(file.read(), file.name, zone=zone, has_users=system))


@import_schedule.command(
    name="rq-cron", epilog=options.examples("import rq-cron cron_config.py > schedule.py")
)
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--tz", "zone", help="Zone of its times [default: that of this machine; RQ 2: UTC]")
def rq_cron(file: str, zone: str | None) -> int:
    """Import a file of 'rq cron', by running it."""
    # Imported here: a crontab does not wait for RQ.
    from clock.importing.rq_cron import read_rq_cron
    from clock.jobs.rq_versions import CRON_IS_LOCAL

    default = local_zone(os.environ) if CRON_IS_LOCAL else "UTC"
    return _write(read_rq_cron(file, zone=zone or default))


@import_schedule.command(
    name="rq-scheduler",
    epilog=options.examples("import rq-scheduler --url redis://localhost/0 > schedule.py"),
)
@options.address_and_serializer
@_zone
def rq_scheduler(url: str | None, settings: str | None, serializer: str, zone: str) -> int:
    """Import what rq-scheduler keeps in Redis, and change nothing there."""
    from clock.cli.connect import connect
    from clock.importing.rq_scheduler import read_rq_scheduler

    connection, _ = connect(url, settings)
    return _write(read_rq_scheduler(connection, zone=zone, serializer=serializer), serializer)


@import_schedule.command(epilog=options.examples("import celery shop.celery:app > schedule.py"))
@click.argument("app", metavar="MODULE:APP")
def celery(app: str) -> int:
    """Import beat_schedule of a Celery application, by importing it."""
    from clock.importing.celery import read_celery

    return _write(read_celery(app, local=local_zone(os.environ)))


def _write(imported: Imported, serializer: str = "pickle") -> int:
    """Print the file and what was left out; returns the exit code."""
    text, left_out = schedule_text(imported, serializer)
    click.echo(text, nl=False)
    for item in left_out:
        click.echo(str(item), err=True)
    return exit_codes.SCHEDULE if left_out else exit_codes.OK
