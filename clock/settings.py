"""Settings that clock, workers and tasks share: a settings module, then the environment."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from clock.errors import SettingsError
from clock.recurrence.duration import parse_timeout
from clock.webhook import Webhook, is_http_url, read_webhooks

GRACE = 25.0
"""Seconds a job has to finish after its worker was asked to stop: platforms kill after 30."""

CHILD_MAX_JOBS = 1000
"""Jobs after which another child takes the place of one that runs them: what leaks is freed."""

CONCURRENCY = 100
"""``async def`` tasks of a child that run side by side."""

OUTPUT_MEMORY = 64
"""Megabytes of the server's memory that the output of the runs of an application may take."""

ISOLATIONS = ("warm", "job")
"""What ``ISOLATION`` may be."""

TOLERANCE = 60.0
"""Seconds an occurrence may stay undecided while a clock is alive."""

CONDITION_TIMEOUT = 10.0
"""Seconds a condition (``if_=``) may take."""

CONFLICT_AFTER = 300.0
"""Seconds for which two clocks may declare an event differently, as they do during a deploy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """This project's settings, the names in capitals of a settings module, as the environment
    overrides them. RQ's own (``REDIS_URL``, ``SENTINEL``, ``QUEUES``) are not included.
    """

    serializer: str = "pickle"
    """``SERIALIZER`` or ``CLOCK_SERIALIZER``: pickle, json or a dotted name, as for
    ``rq worker -S``."""

    app: str = "clock"
    """``APP`` or ``CLOCK_APP``: the name of the application in the ledger."""

    grace: float = GRACE
    """``GRACE`` or ``CLOCK_GRACE``: seconds, a number or a string such as ``"25s"``."""

    middleware: tuple[str, ...] = ()
    """``MIDDLEWARE``: dotted names of the functions that wrap each job, outermost first."""

    outcomes: Mapping[str, Mapping[Any, Any]] = field(default_factory=lambda: MappingProxyType({}))
    """``OUTCOMES``: a task's dotted name -> exception class, or its dotted name -> outcome. Only
    its shape is checked here."""

    max_running: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """``MAX_RUNNING``: a task's dotted name -> how many of its jobs may run at once."""

    processes: int = 1
    """``PROCESSES`` or ``CLOCK_PROCESSES``: how many children of a worker run jobs."""

    concurrency: int = CONCURRENCY
    """``CONCURRENCY`` or ``CLOCK_CONCURRENCY``: how many ``async def`` tasks run side by side in a
    child."""

    isolation: str = "warm"
    """``ISOLATION`` or ``CLOCK_ISOLATION``: ``warm``, where a child runs job after job, or ``job``,
    a fresh process for every job."""

    child_max_jobs: int | None = CHILD_MAX_JOBS
    """``CHILD_MAX_JOBS`` or ``CLOCK_CHILD_MAX_JOBS``: jobs after which another child takes the
    place of one; 0, or None here, for no bound."""

    child_max_memory: float | None = None
    """``CHILD_MAX_MEMORY`` or ``CLOCK_CHILD_MAX_MEMORY``: megabytes above which that happens."""

    output_memory: int = OUTPUT_MEMORY * 2**20
    """``OUTPUT_MEMORY`` or ``CLOCK_OUTPUT_MEMORY``: megabytes of the server's memory, here bytes,
    in which the output of runs is kept; 0 keeps none."""

    preload: tuple[str, ...] = ()
    """``PRELOAD``: modules that a worker imports before its first job."""

    ping_url: str | None = field(default=None, repr=False)
    """``PING_URL`` or ``CLOCK_PING_URL``: a URL that the clock requests while all is well."""

    pings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """``PINGS``: event -> a URL that is notified of each of its runs."""

    sentry_monitors: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """``SENTRY_MONITORS``: event -> the slug of its monitor in Sentry Crons."""

    webhooks: tuple[Webhook, ...] = ()
    """``WEBHOOKS``, or ``CLOCK_WEBHOOK_URL``: where notices of failing events go, and the like."""


def read_settings(module: str | None, environ: Mapping[str, str]) -> Settings:
    """The settings of ``module``, else of the module in ``RQ_CONFIG``, else the defaults; a
    variable in ``environ`` that is not empty overrides its setting.

    Raises SettingsError for a module that cannot be imported, and for an invalid value.
    """
    name = module or environ.get("RQ_CONFIG")
    namespace = settings_module(name) if name else {}
    isolation = _string("ISOLATION", namespace, environ, "warm")
    if isolation not in ISOLATIONS:
        raise SettingsError(f"ISOLATION must be one of {', '.join(ISOLATIONS)}, not {isolation!r}")
    child_max_jobs = _whole("CHILD_MAX_JOBS", namespace, environ, CHILD_MAX_JOBS)
    return Settings(
        serializer=_string("SERIALIZER", namespace, environ, "pickle"),
        app=_string("APP", namespace, environ, "clock"),
        grace=_seconds("GRACE", namespace, environ, GRACE),
        middleware=dotted_names("MIDDLEWARE", namespace),
        outcomes=_mapping("OUTCOMES", namespace, _is_mapping, "dictionaries by task"),
        max_running=_mapping("MAX_RUNNING", namespace, _is_limit, "integers from 1 by task"),
        processes=_whole("PROCESSES", namespace, environ, 1, least=1),
        concurrency=_whole("CONCURRENCY", namespace, environ, CONCURRENCY, least=1),
        isolation=isolation,
        child_max_jobs=1 if isolation == "job" else child_max_jobs or None,
        child_max_memory=_whole("CHILD_MAX_MEMORY", namespace, environ, 0) or None,
        output_memory=_whole("OUTPUT_MEMORY", namespace, environ, OUTPUT_MEMORY) * 2**20,
        preload=dotted_names("PRELOAD", namespace),
        ping_url=_ping_url(namespace, environ),
        pings=_urls("PINGS", namespace),
        sentry_monitors=_mapping("SENTRY_MONITORS", namespace, _is_string, "strings by event"),
        webhooks=read_webhooks(namespace, environ),
    )


def settings_module(name: str) -> Mapping[str, Any]:
    """The names in a settings module, which may also be in the current folder.

    Raises SettingsError where it cannot be imported.
    """
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        return vars(importlib.import_module(name))
    except Exception as error:  # a settings module is user code
        raise SettingsError(f"settings module {name!r}: {type(error).__name__}: {error}") from None


def _string(
    name: str, namespace: Mapping[str, Any], environ: Mapping[str, str], default: str
) -> str:
    value: Any = environ.get(f"CLOCK_{name}") or namespace.get(name, default)
    if not _is_string(value):
        raise SettingsError(f"{name} in the settings must be a non-empty string, not {value!r}")
    return str(value)


def _seconds(
    name: str, namespace: Mapping[str, Any], environ: Mapping[str, str], default: float
) -> float:
    variable = environ.get(f"CLOCK_{name}")
    value = variable or namespace.get(name, default)
    try:
        return parse_timeout(value)
    except ValueError as error:
        source = f"CLOCK_{name}" if variable else name
        raise SettingsError(f"{source}={value!r}: {error}") from None


def _whole(
    name: str,
    namespace: Mapping[str, Any],
    environ: Mapping[str, str],
    default: int,
    *,
    least: int = 0,
) -> int:
    variable = environ.get(f"CLOCK_{name}")
    value: Any = variable or namespace.get(name, default)
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if type(value) is not int or value < least:
        source = f"CLOCK_{name}" if variable else name
        raise SettingsError(f"{source}={value!r}: must be a whole number, {least} or more")
    return value


def dotted_names(name: str, namespace: Mapping[str, Any]) -> tuple[str, ...]:
    """A setting that is a list of dotted names. Raises SettingsError."""
    value = namespace.get(name, ())
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise SettingsError(f"{name} in the settings must be a list of dotted names")
    return tuple(value)


def _mapping(
    name: str, namespace: Mapping[str, Any], is_valid: Callable[[object], bool], values: str
) -> Mapping[str, Any]:
    value = namespace.get(name, {})
    if not isinstance(value, Mapping) or not all(
        isinstance(key, str) and is_valid(item) for key, item in value.items()
    ):
        raise SettingsError(f"{name} in the settings must be a dictionary of {values}")
    return MappingProxyType(dict(value))


def _ping_url(namespace: Mapping[str, Any], environ: Mapping[str, str]) -> str | None:
    value = environ.get("CLOCK_PING_URL") or namespace.get("PING_URL")
    if value is None or is_http_url(value):
        return value
    # The value may contain a secret, so it is not shown.
    raise SettingsError("PING_URL must be a URL that begins with http:// or https://")


def _urls(name: str, namespace: Mapping[str, Any]) -> Mapping[str, str]:
    urls = _mapping(name, namespace, _is_string, "strings by event")
    for event, url in urls.items():
        if not is_http_url(url):
            raise SettingsError(
                f"{name} of {event!r} must be a URL that begins with http:// or https://"
            )
    return urls


def _is_string(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_limit(value: object) -> bool:
    return type(value) is int and value >= 1
