"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, TypeVar

import click

from clock.recurrence.zone import Zone
from clock.schedule.event import Event
from clock.schedule.schedule import Schedule
from clock.settings import CONFLICT_AFTER, TOLERANCE, read_settings

Command = TypeVar("Command", bound=Callable[..., Any])

schedule_file = click.argument("file", type=click.Path(dir_okay=False))

_SETTINGS = "clock.settings"
"""Where a command keeps the name of its settings module."""

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


def _from_settings(field: str) -> Callable[..., str]:
    """Where the command line says nothing: what the environment or the settings module says."""

    def find(ctx: click.Context, _param: click.Parameter, value: str | None) -> str:
        if value:
            return value
        return str(getattr(read_settings(ctx.meta[_SETTINGS], os.environ), field))

    return find


def _note_settings(ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    ctx.meta[_SETTINGS] = value
    return value


def _settings(*, is_passed_on: bool) -> Callable[[Command], Command]:
    return click.option(
        "--config",
        "-c",
        "settings",
        envvar="RQ_CONFIG",
        is_eager=True,  # it is known when the options that it may answer are looked at
        expose_value=is_passed_on,
        callback=_note_settings,
        help="Settings module, as of 'rq worker -c'.",
    )


_serializer = click.option(
    "--serializer",
    "-S",
    callback=_from_settings("serializer"),
    help="The serializer of the workers: pickle, json or a dotted name; else CLOCK_SERIALIZER, "
    "the settings' SERIALIZER, pickle.",
)

_app = click.option(
    "--app",
    callback=_from_settings("app"),
    help="Name of the application in the ledger; else CLOCK_APP, the settings' APP, clock.",
)

_url = click.option(
    "--url", "-u", help="Address of the server; else the settings, then the environment."
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

conflict_after = click.option(
    "--conflict-after",
    type=click.FloatRange(min=1),
    envvar="CLOCK_CONFLICT_AFTER",
    default=CONFLICT_AFTER,
    show_default=True,
    help="Seconds for which two clocks may declare an event differently, as in a deploy.",
)


def serializer(command: Command) -> Command:
    """The options that say how the workers read arguments, for a command that needs no server."""
    return _serializer(_settings(is_passed_on=False)(command))


def server(command: Command) -> Command:
    """The options that say which server, and which application's ledger there."""
    return _url(_settings(is_passed_on=True)(_app(command)))


def server_and_serializer(command: Command) -> Command:
    """The options of ``server``, and how the workers read arguments."""
    return server(_serializer(command))


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
