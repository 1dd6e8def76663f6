"""Where jobs are enqueued and read: a server, a serializer, the name of an application."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import click
from redis import Redis
from rq import get_current_job

from clock.connection.server import VARIABLES, find_server
from clock.settings import read_settings

ANSWER = 5.0
"""Seconds to wait for a reply before the server counts as away."""

_COMMANDS = ("clock", "rq")
"""The packages whose commands run tasks and conditions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where jobs go: ``serializer`` is a name, or the class that RQ made of one."""

    connection: Redis
    serializer: Any
    app: str


def find_target(connection: Redis | None = None) -> Target:
    """The server of ``connection``; else of the job that runs here; else of the command that runs
    here, as in a condition of a clock; else of the settings module in ``RQ_CONFIG`` and the
    environment.

    Raises SettingsError.
    """
    command, job = _command_options(), get_current_job()
    module = command.get("config") or command.get("settings") or os.environ.get("RQ_CONFIG")
    settings = read_settings(module, os.environ)
    serializer: Any = command.get("serializer") or settings.serializer
    if connection is None and job is not None:
        connection, serializer = job.connection, job.serializer
    elif connection is None:
        names = (*VARIABLES, "REDIS_TLS_VERIFY")
        variables = tuple((name, os.environ[name]) for name in names if name in os.environ)
        connection = _connect(command.get("url"), module, variables)
    app = command.get("app") or settings.app
    return Target(connection=connection, serializer=serializer, app=app)


def _command_options() -> Mapping[str, str]:
    """The options of the command that runs here, be it ``clock FILE`` or ``rq worker``; those of
    any other program mean something else.
    """
    context = click.get_current_context(silent=True)
    if context is None:
        return {}
    module = getattr(context.command.callback, "__module__", "")
    if module.partition(".")[0] not in _COMMANDS:
        return {}
    return {name: value for name, value in context.params.items() if value and type(value) is str}


@lru_cache(maxsize=4)
def _connect(url: str | None, module: str | None, environ: tuple[tuple[str, str], ...]) -> Redis:
    return find_server(url, module, dict(environ)).connect()
