"""What the command ``rq worker`` was told, as far as it does not tell the worker."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn

import click
from click.core import ParameterSource

from clock import exit_codes
from clock.errors import SettingsError
from clock.jobs.outcome import check_table
from clock.log import STYLES, Style, log_to
from clock.settings import Settings, read_settings


def settings_of_command(environ: Mapping[str, str]) -> Settings:
    """The settings of the module that ``rq worker -c`` names, or ``RQ_CONFIG``, and of the
    environment. Raises SettingsError.
    """
    settings = read_settings((options_of_command() or {}).get("config"), environ)
    for task, table in settings.outcomes.items():
        try:
            check_table(table)
        except ValueError as error:
            raise SettingsError(f"OUTCOMES of {task}: {error}") from None
    return settings


def options_of_command() -> dict[str, str] | None:
    """The options of ``rq worker`` that are strings; None outside the command."""
    context = click.get_current_context(silent=True)
    if context is None:
        return None
    return {name: value for name, value in context.params.items() if isinstance(value, str)}


def serializer_was_given(serializer: object) -> bool:
    """Whether the caller chose ``serializer``, by ``-S`` or, outside the command, as an argument.

    RQ's command fills in its default, so what it passes says nothing.
    """
    context = click.get_current_context(silent=True)
    if context is None or "serializer" not in context.params:
        return serializer is not None
    source = context.get_parameter_source("serializer")
    return source in {ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT}


@contextmanager
def one_line() -> Iterator[None]:
    """End the process with one line, and the exit code for it, where the block raises
    SettingsError.
    """
    try:
        yield
    except SettingsError as error:
        _end(str(error))


def log_by_environment(environ: Mapping[str, str]) -> None:
    """Send this package's log lines to stdout in the style of ``CLOCK_LOG``, as the clock does;
    nothing happens where the application's logging configuration sends them somewhere.

    Raises SettingsError for a style there is none of.
    """
    if logging.getLogger("clock").hasHandlers():
        return
    on_terminal = sys.stdout.isatty()
    wanted = environ.get("CLOCK_LOG") or ("terminal" if on_terminal else "logfmt")
    style: Style | None = next((style for style in STYLES if style == wanted), None)
    if style is None:
        raise SettingsError(f"CLOCK_LOG={wanted!r} is none of {', '.join(STYLES)}")
    log_to(sys.stdout, style, colour=on_terminal and not environ.get("NO_COLOR"))


def _end(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(exit_codes.USAGE)
