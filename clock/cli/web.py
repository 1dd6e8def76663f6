"""``clock web``: the page, the JSON API and the metrics."""

from __future__ import annotations

import ipaddress
import os
import sys
from typing import Any

import click

from clock import exit_codes
from clock.cli import options
from clock.connection.server import find_server
from clock.errors import SettingsError
from clock.log import STYLES, Style, log_to
from clock.output import unblock_output
from clock.settings import settings_module

PORT = 5040


@click.command(name="web")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    envvar="PORT",
    default=PORT,
    show_default=True,
    help="Port; else PORT.",
)
@click.option("--or-any-port", is_flag=True, help="Any port that is free, where that is taken.")
@options.server_and_serializer
@options.overdue_after
@click.option(
    "--log",
    "style",
    type=click.Choice(STYLES),
    envvar="CLOCK_LOG",
    help="Log format [default: terminal on a TTY, else logfmt]",
)
@click.option("--allow-actions", is_flag=True, help="Let readers run, pause and delete.")
@click.option(
    "--allow",
    "tasks",
    multiple=True,
    metavar="TASK",
    help="A task that the API may enqueue, besides those of the settings' ALLOWED.",
)
@click.option("--show-arguments", is_flag=True, help="Show the arguments of jobs.")
def web(
    host: str,
    port: int,
    or_any_port: bool,
    url: str | None,
    settings: str | None,
    app: str,
    serializer: str,
    tolerance: float,
    style: Style | None,
    allow_actions: bool,
    tasks: tuple[str, ...],
    show_arguments: bool,
) -> int:
    """Serve the page, /api/v1 and /metrics until SIGTERM, SIGINT or SIGHUP.

    Everybody who reaches the address may read, unless CLOCK_WEB_PASSWORD or CLOCK_WEB_TOKEN (or
    WEB_PASSWORD, WEB_TOKEN in the settings) is set; without one only this machine is served.
    """
    served = _imported()
    module = settings_module(settings) if settings else {}
    access = served.read_access(
        os.environ,
        module,
        actions=allow_actions,
        arguments=show_arguments,
        hosts=served.LOOPBACK,
    )
    if access.is_open and not _is_loopback(host):
        raise SettingsError(
            f"{host} may be reached from outside: set CLOCK_WEB_PASSWORD, or leave --host out"
        )
    application = served.application(
        find_server(url, settings, os.environ).connect(),
        access=access,
        app=app,
        serializer=serializer,
        tolerance=tolerance,
        allowed={*served.read_allowed(module), *tasks},
    )
    unblock_output()
    is_terminal = sys.stdout.isatty()
    colour = is_terminal and not os.environ.get("NO_COLOR")
    log_to(sys.stdout, style or ("terminal" if is_terminal else "logfmt"), colour=colour)
    served.serve(application, host=host, ports=[port, 0] if or_any_port else [port])
    return exit_codes.OK


def _imported() -> Any:
    try:
        from clock.web import serve
    except ImportError as error:
        if error.name and error.name.startswith("clock"):
            raise
        raise SettingsError("clock web needs more: pip install 'rq-clock[web]'") from None
    return serve


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
