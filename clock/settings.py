"""What clock, workers and tasks agree on: a settings module, and the environment above it."""

from __future__ import annotations

import importlib
import math
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from clock.errors import SettingsError
from clock.schedule.duration import parse_duration

GRACE = 25.0
"""Seconds a job has to finish once its worker was asked to stop: platforms kill after 30."""

TOLERANCE = 60.0
"""Seconds an occurrence may stay undecided while a clock is there."""

CONDITION_TIMEOUT = 10.0
"""Seconds that a condition (``if_=``) has for its answer."""

CONFLICT_AFTER = 300.0
"""Seconds for which two clocks may say different things of an event: a deploy's overlap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The names in capitals of a settings module that are this project's, the environment above
    them. RQ's own (``REDIS_URL``, ``SENTINEL``, ``QUEUES``) are not among them.
    """

    serializer: str = "pickle"
    """``SERIALIZER`` or ``CLOCK_SERIALIZER``: pickle, json or a dotted name, as ``rq worker -S``
    takes it, and with its default."""

    app: str = "clock"
    """``APP`` or ``CLOCK_APP``: the name of the application in the ledger."""

    grace: float = GRACE
    """``GRACE`` or ``CLOCK_GRACE``: seconds, a number or a text such as ``"25s"``."""

    middleware: tuple[str, ...] = ()
    """``MIDDLEWARE``: dotted names of what goes around each job, the outermost first."""

    outcomes: Mapping[str, Mapping[Any, Any]] = field(default_factory=lambda: MappingProxyType({}))
    """``OUTCOMES``: a task's dotted name -> exception class, or its dotted name -> what it means.
    Only its shape is checked here."""

    max_running: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """``MAX_RUNNING``: a task's dotted name -> how many of its jobs may run at once."""

    ping_url: str | None = field(default=None, repr=False)
    """``PING_URL`` or ``CLOCK_PING_URL``: an address that the clock asks while all is well."""

    pings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """``PINGS``: event -> an address that is told of each of its runs."""

    sentry_monitors: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """``SENTRY_MONITORS``: event -> the slug of the monitor of Sentry Crons that is told."""


def read_settings(module: str | None, environ: Mapping[str, str]) -> Settings:
    """What ``module`` says, or else that of ``RQ_CONFIG``, and what the environment says instead.

    A variable that is empty says nothing. Raises SettingsError for a module that cannot be
    imported, and for a value that is not what its name asks for.
    """
    name = module or environ.get("RQ_CONFIG")
    said = settings_module(name) if name else {}
    return Settings(
        serializer=_text("SERIALIZER", said, environ, "pickle"),
        app=_text("APP", said, environ, "clock"),
        grace=_seconds("GRACE", said, environ, GRACE),
        middleware=_names("MIDDLEWARE", said),
        outcomes=_tables("OUTCOMES", said),
        max_running=_limits("MAX_RUNNING", said),
        ping_url=_ping_url(said, environ),
        pings=_addresses("PINGS", said),
        sentry_monitors=_texts("SENTRY_MONITORS", said),
    )


def settings_module(name: str) -> Mapping[str, Any]:
    """The names of a settings module, which is looked for where the command was started too.

    Raises SettingsError where it cannot be imported.
    """
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        return vars(importlib.import_module(name))
    except Exception as error:  # a settings module is anybody's code
        raise SettingsError(f"settings module {name!r}: {type(error).__name__}: {error}") from None


def _text(name: str, said: Mapping[str, Any], environ: Mapping[str, str], default: str) -> str:
    value = environ.get(f"CLOCK_{name}") or said.get(name, default)
    if not isinstance(value, str) or not value:
        raise SettingsError(f"{name}={value!r} in the settings is not a text")
    return value


def _seconds(
    name: str, said: Mapping[str, Any], environ: Mapping[str, str], default: float
) -> float:
    variable = environ.get(f"CLOCK_{name}")
    place = f"CLOCK_{name}={variable!r}" if variable else f"{name}={said.get(name)!r}"
    try:
        return _number(variable or said.get(name, default))
    except ValueError as error:
        raise SettingsError(f"{place}: {error}") from None


def _number(value: object) -> float:
    """A length of time in seconds, which may have a fraction. Raises ValueError."""
    try:
        seconds = float(value) if isinstance(value, (str, int, float)) else math.nan
    except ValueError:
        seconds = math.nan
    if isinstance(value, bool) or not math.isfinite(seconds):
        return float(parse_duration(value))
    if seconds < 0:
        raise ValueError(f"{value!r} is less than nothing")
    return seconds


def _names(name: str, said: Mapping[str, Any]) -> tuple[str, ...]:
    value = said.get(name, ())
    if not isinstance(value, (list, tuple)) or not all(isinstance(each, str) for each in value):
        raise SettingsError(f"{name} in the settings is not a list of dotted names")
    return tuple(value)


def _tables(name: str, said: Mapping[str, Any]) -> Mapping[str, Mapping[Any, Any]]:
    value = said.get(name, {})
    if not isinstance(value, Mapping) or not all(
        isinstance(task, str) and isinstance(table, Mapping) for task, table in value.items()
    ):
        raise SettingsError(f"{name} in the settings is not a dictionary of dictionaries by task")
    return MappingProxyType(dict(value))


def _limits(name: str, said: Mapping[str, Any]) -> Mapping[str, int]:
    value = said.get(name, {})
    if not isinstance(value, Mapping) or not all(
        isinstance(task, str) and type(limit) is int and limit >= 1 for task, limit in value.items()
    ):
        raise SettingsError(f"{name} in the settings is not a dictionary of numbers from 1 by task")
    return MappingProxyType(dict(value))


def _ping_url(said: Mapping[str, Any], environ: Mapping[str, str]) -> str | None:
    value = environ.get("CLOCK_PING_URL") or said.get("PING_URL")
    if value is None or _is_address(value):
        return value
    # What is wrong may be half of a secret.
    raise SettingsError("PING_URL is not an address that begins with http:// or https://")


def _addresses(name: str, said: Mapping[str, Any]) -> Mapping[str, str]:
    value = _texts(name, said)
    for event, address in value.items():
        if not _is_address(address):
            raise SettingsError(
                f"{name} of {event!r} is not an address that begins with http:// or https://"
            )
    return value


def _texts(name: str, said: Mapping[str, Any]) -> Mapping[str, str]:
    value = said.get(name, {})
    if not isinstance(value, Mapping) or not all(
        isinstance(event, str) and isinstance(text, str) and text for event, text in value.items()
    ):
        raise SettingsError(f"{name} in the settings is not a dictionary of texts by event")
    return MappingProxyType(dict(value))


def _is_address(value: object) -> bool:
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and " " not in value
    except ValueError:
        return False
