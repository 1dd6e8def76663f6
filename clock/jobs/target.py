"""Where jobs are enqueued and asked about: a server, a serializer, the name of an application."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import click
from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry
from redis.sentinel import SentinelConnectionPool
from rq import get_current_job

from clock.connection.diagnosis import text_of
from clock.connection.server import VARIABLES, find_server
from clock.errors import JobServerError
from clock.settings import read_settings

ANSWER = 5.0
"""Seconds a server has to answer before it counts as away."""

_PROMPT: WeakKeyDictionary[Any, dict[float, Redis]] = WeakKeyDictionary()
_MOST_PROMPT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where jobs go: ``serializer`` is a name, or the class that RQ made of one."""

    connection: Redis
    serializer: Any
    app: str


def find_place(connection: Redis | None = None) -> Target:
    """The server of ``connection``; else that of the job that runs here; else that of the command
    that runs here, as in a condition of a clock; else that of the settings module ``RQ_CONFIG`` and
    the environment.

    Raises SettingsError.
    """
    command, job = _command(), get_current_job()
    module = command.get("config") or command.get("settings") or os.environ.get("RQ_CONFIG")
    settings = read_settings(module, os.environ)
    serializer: Any = command.get("serializer") or settings.serializer
    if connection is None and job is not None:
        connection, serializer = job.connection, job.serializer
    elif connection is None:
        names = (*VARIABLES, "REDIS_TLS_VERIFY")
        chosen = tuple((name, os.environ[name]) for name in names if name in os.environ)
        connection = _connection(command.get("url"), module, chosen)
    app = command.get("app") or settings.app
    return Target(connection=connection, serializer=serializer, app=app)


def prompt(connection: Redis, seconds: float) -> Redis:
    """A connection to the same server that reports every failure, silence after ``seconds``.

    RQ's own waits for minutes, and redis-py would by itself ask again, up to ten times.
    """
    made = _PROMPT.setdefault(connection.connection_pool, {})
    if seconds not in made:
        if len(made) >= _MOST_PROMPT:
            made.pop(next(iter(made)), None)
        made[seconds] = _prompt(connection, seconds)
    return made[seconds]


@contextmanager
def server_answers(connection: Redis, seconds: float) -> Iterator[None]:
    """Turn what the client raises while the block runs into JobServerError, one sentence."""
    try:
        yield
    except RedisTimeoutError as error:
        said = f"{shown(connection)} did not answer within {seconds:g} s"
        raise JobServerError(said) from error
    except (RedisError, OSError) as error:
        said = text_of(error) or type(error).__name__
        raise JobServerError(f"{shown(connection)}: {said}") from error


def shown(connection: Redis) -> str:
    """The address of a connection, for a person."""
    pool = connection.connection_pool
    kwargs = pool.connection_kwargs
    if isinstance(pool, SentinelConnectionPool):
        return f"the master {pool.service_name!r} of the sentinels"
    if "path" in kwargs:
        return f"unix://{kwargs['path']}"
    host, port = kwargs.get("host", "localhost"), kwargs.get("port", 6379)
    return f"redis://{host}:{port}/{kwargs.get('db') or 0}"


def _command() -> Mapping[str, str]:
    """What was said to the command that runs here, be it ``clock FILE`` or ``rq worker``."""
    context = click.get_current_context(silent=True)
    params: Mapping[str, Any] = context.params if context is not None else {}
    return {name: value for name, value in params.items() if isinstance(value, str) and value}


@lru_cache(maxsize=4)
def _connection(url: str | None, module: str | None, environ: tuple[tuple[str, str], ...]) -> Redis:
    return find_server(url, module, dict(environ)).connect()


def _prompt(connection: Redis, seconds: float) -> Redis:
    pool: Any = connection.connection_pool
    # Values of type object are how redis-py 8 marks what was not given; it knows them by identity.
    kwargs = {
        name: value
        for name, value in pool.connection_kwargs.items()
        if not name.startswith(
            ("retry", "orig_", "maint_", "event_", "himport_", "connection_pool")
        )
        and type(value) is not object
    }
    kwargs |= {"socket_timeout": seconds, "retry": Retry(NoBackoff(), 0), "decode_responses": False}
    if "path" not in kwargs:
        kwargs["socket_connect_timeout"] = seconds
    if isinstance(pool, SentinelConnectionPool):
        made: Any = SentinelConnectionPool(  # type: ignore[no-untyped-call]
            pool.service_name,
            pool.sentinel_manager,
            connection_class=pool.connection_class,
            is_master=pool.is_master,
            **kwargs,
        )
    else:
        made = ConnectionPool(connection_class=pool.connection_class, **kwargs)
    # Its own class: the one for sentinels asks them anew after whatever the server refused.
    return type(connection)(connection_pool=made)
