"""``clock web``: the web UI, the JSON API and the metrics."""

from __future__ import annotations

import ipaddress
import os
import sys
from typing import Any

import click

from clock.cli import options
from clock.connection.server import find_server
from clock.errors import SettingsError
from clock.log import Style, log_to
from clock.output import unblock_output
from clock.settings import dotted_names, settings_module
from clock.web.password_hash import SHORTEST, hash_password

PORT = 5040


def _print_hash(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if not value:
        return
    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if len(password) < SHORTEST:
        raise click.UsageError(f"a password must have at least {SHORTEST} characters")
    click.echo(hash_password(password))
    ctx.exit()


@click.command(
    name="web",
    epilog=options.examples(
        "web", "web --allow-actions -c settings", "web --host 0.0.0.0 --port 8080", "web --hash"
    ),
)
@click.option(
    "--hash",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_hash,
    help="Read a password and print its hash, for WEB_USERS.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    envvar="PORT",
    default=PORT,
    show_default=True,
    show_envvar=True,
    help="Port to listen on.",
)
@click.option("--or-any-port", is_flag=True, help="Use a free port if that one is taken.")
@options.server_and_serializer
@options.overdue_after
@options.log_format
@click.option("--allow-actions", is_flag=True, help="Allow users to run, pause and delete.")
@click.option(
    "--allow",
    "tasks",
    multiple=True,
    metavar="TASK",
    help="Let the API enqueue TASK, besides ALLOWED of the settings; may be repeated.",
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
) -> None:
    """Serve the web UI, /api/v1 and /metrics.

    Runs until SIGTERM, SIGINT or SIGHUP. Set CLOCK_WEB_PASSWORD, CLOCK_WEB_TOKEN or CLOCK_WEB_USERS
    (in the settings: WEB_PASSWORD, WEB_TOKEN, WEB_USERS) to require authentication. Without any,
    only this machine is served.
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
            f"{host} may be reached from outside: set CLOCK_WEB_PASSWORD or omit --host"
        )
    application = served.application(
        find_server(url, settings, os.environ).connect(),
        access=access,
        app=app,
        serializer=serializer,
        tolerance=tolerance,
        allowed={*dotted_names("ALLOWED", module), *tasks},
    )
    unblock_output()
    log_to(sys.stdout, style)
    served.serve(application, host=host, ports=[port, 0] if or_any_port else [port])


def _imported() -> Any:
    try:
        from clock.web import serve
    except ImportError as error:
        if error.name and error.name.startswith("clock"):
            raise
        raise SettingsError("clock web needs an extra: pip install 'rq-clock[web]'") from None
    return serve


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
