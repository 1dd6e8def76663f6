"""Options that several commands share."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import click

from clock.log import STYLES
from clock.recurrence.zone import Zone
from clock.schedule.event import Event
from clock.schedule.schedule import Schedule
from clock.settings import CONFLICT_AFTER, TOLERANCE, Settings, read_settings, settings_module

Command = TypeVar("Command", bound=Callable[..., Any])

schedule_file = click.argument("file", type=click.Path(dir_okay=False))

_SETTINGS = "clock.settings"
"""Where a command keeps the name of its settings module."""

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
as_json_object = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def count(default: int, of: str) -> Callable[[Command], Command]:
    """The option ``-n``, of a command that shows at least one."""
    return click.option(
        "-n",
        "count",
        type=click.IntRange(min=1),
        default=default,
        show_default=True,
        help=f"Number of {of}.",
    )


def examples(*commands: str) -> str:
    """The end of a command's help: command lines, each with what it does."""
    return "\b\nExamples:\n" + "\n".join(f"  clock {command}" for command in commands)


def settings_of_command() -> Settings:
    """The settings of the command that runs, all of them checked. Raises SettingsError."""
    return read_settings(click.get_current_context().meta[_SETTINGS], os.environ)


def queues_of_command() -> list[str]:
    """The queues of the settings module of the command that runs; empty without one."""
    name = click.get_current_context().meta[_SETTINGS]
    return [] if name is None else list(map(str, settings_module(name).get("QUEUES", ())))


def _from_settings(field: str) -> Callable[..., str]:
    """The value of the environment or the settings module where the option is not given."""

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
        is_eager=True,  # read before the options whose default it may give
        expose_value=is_passed_on,
        callback=_note_settings,
        show_envvar=True,
        help="Settings module, as for 'rq worker -c'.",
    )


_serializer = click.option(
    "--serializer",
    "-S",
    callback=_from_settings("serializer"),
    help="Serializer of the workers: pickle, json or a dotted name [env var: CLOCK_SERIALIZER; "
    "setting: SERIALIZER; default: pickle]",
)

_app = click.option(
    "--app",
    callback=_from_settings("app"),
    help="Name of the application [env var: CLOCK_APP; setting: APP; default: clock]",
)

app = _app
"""``--app`` alone, for a command that needs no server."""

_url = click.option(
    "--url", "-u", help="Redis or Valkey URL [default: from settings, then environment]"
)


log_format = click.option(
    "--log",
    "style",
    type=click.Choice(STYLES),
    envvar="CLOCK_LOG",
    help="Log format [env var: CLOCK_LOG; default: terminal on a TTY, else logfmt]",
)

_seconds = partial(click.option, type=click.FloatRange(min=1), show_default=True, show_envvar=True)

overdue_after = _seconds(
    "--overdue-after",
    "tolerance",
    envvar="CLOCK_OVERDUE_AFTER",
    default=TOLERANCE,
    help="Seconds before an undecided occurrence counts as overdue.",
)

conflict_after = _seconds(
    "--conflict-after",
    envvar="CLOCK_CONFLICT_AFTER",
    default=CONFLICT_AFTER,
    help="Seconds two clocks may declare an event differently, as in a deploy.",
)


def serializer(command: Command) -> Command:
    """Add ``--serializer`` and ``--config``, for a command that needs no server."""
    return _serializer(_settings(is_passed_on=False)(command))


def server(command: Command) -> Command:
    """Add ``--url``, ``--config`` and ``--app``: which server, and whose ledger on it."""
    return _url(_settings(is_passed_on=True)(_app(command)))


def address_and_serializer(command: Command) -> Command:
    """Add ``--url``, ``--config`` and ``--serializer``, for what is not of one application."""
    return _url(_settings(is_passed_on=True)(_serializer(command)))


def server_and_serializer(command: Command) -> Command:
    """Add the options of ``server``, and ``--serializer``."""
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
    """The event ``name``, or all events; raises click.UsageError for an unknown name."""
    return list(schedule.events.values()) if name is None else [event_named(schedule, name)]


def in_zone(instant: datetime, zone: Zone) -> datetime:
    """``instant`` as an aware datetime; without an offset it is a local time of ``zone``."""
    if instant.tzinfo is not None:
        return instant
    return zone.local(zone.instant(round(instant.replace(tzinfo=UTC).timestamp())))


def instant_or_now(instant: datetime | None, zone: Zone) -> datetime:
    """``instant`` as of ``in_zone``, or the present where the option is not given."""
    return datetime.fromtimestamp(time.time(), UTC) if instant is None else in_zone(instant, zone)


def event_named(schedule: Schedule, name: str) -> Event:
    """The event ``name``; raises click.UsageError, which lists the events, for an unknown name."""
    if name not in schedule.events:
        raise click.UsageError(
            f"there is no event {name!r}; the events are {', '.join(schedule.events)}"
        )
    return schedule.events[name]
