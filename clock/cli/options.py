"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, TypeVar

import click

from clock.observe.overdue import TOLERANCE
from clock.recurrence.zone import Zone
from clock.schedule.event import Event
from clock.schedule.schedule import Schedule

Command = TypeVar("Command", bound=Callable[..., Any])

schedule_file = click.argument("file", type=click.Path(dir_okay=False))

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")

serializer = click.option(
    "--serializer",
    "-S",
    envvar="CLOCK_SERIALIZER",
    default="pickle",
    show_default=True,
    help="The serializer of the workers: pickle, json or a dotted name.",
)


overdue_after = click.option(
    "--overdue-after",
    "tolerance",
    type=click.FloatRange(min=1),
    envvar="CLOCK_OVERDUE_AFTER",
    default=TOLERANCE,
    show_default=True,
    help="Seconds an occurrence may stay undecided while a clock is alive.",
)


def server(command: Command) -> Command:
    """The options that say which server."""
    for option in (
        click.option(
            "--app",
            envvar="CLOCK_APP",
            default="clock",
            help="Name of the application in the ledger.",
        ),
        click.option(
            "--config",
            "-c",
            "settings",
            envvar="RQ_CONFIG",
            help="Settings module, as of 'rq worker -c'.",
        ),
        click.option(
            "--url", "-u", help="Address of the server; else the settings, then the environment."
        ),
    ):
        command = option(command)
    return command


class Instant(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.2 on
    """An instant in ISO 8601; without an offset it is local time in the schedule's zone."""

    name = "ISO"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            self.fail(
                f"{value!r} is not an instant like 2026-03-29T00:00 or 2026-03-29T00:00Z",
                param,
                ctx,
            )


def chosen(schedule: Schedule, name: str | None) -> list[Event]:
    """The event called ``name``, or all; raises click.UsageError where there is no such event."""
    return list(schedule.events.values()) if name is None else [event_named(schedule, name)]


def in_zone(instant: datetime, zone: Zone) -> datetime:
    """``instant`` as it is where it has an offset, else as a local time of ``zone``; aware."""
    if instant.tzinfo is not None:
        return instant
    local = round(instant.replace(tzinfo=UTC).timestamp())
    at = zone.instant(local)
    return datetime.fromtimestamp(at, timezone(timedelta(seconds=zone.offset(at))))


def event_named(schedule: Schedule, name: str) -> Event:
    """The event of a schedule; a usage error that says which there are where it has none."""
    if name not in schedule.events:
        raise click.UsageError(
            f"there is no event {name!r}; the events are {', '.join(schedule.events)}"
        )
    return schedule.events[name]
