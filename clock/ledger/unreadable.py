"""Entries in Redis that cannot be read are skipped, and the log says once which and why.

A key of another type, a damaged line or a field of a later release must not hide the other entries.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from redis.client import Pipeline
from redis.exceptions import ResponseError

from clock.connection.errors import server_errors
from clock.ledger.values import text

READ_ERRORS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What a parser raises for an entry that is not what it expects."""

MAX_NAME = 2_000
"""Characters of the name of an event, a queue, a worker or a job."""

MAX_LOGGED = 1_000
"""Lines logged by one process: unreadable entries may be written without end."""

MAX_COLLECTED = 20

_MAX_SHOWN = 100
_WRONG_TYPE = "WRONGTYPE"

log = logging.getLogger("clock.ledger")

Item = TypeVar("Item")

_LOGGED: set[str] = set()
_COLLECTED: ContextVar[list[str] | None] = ContextVar("collected", default=None)


@contextmanager
def collect_skipped() -> Iterator[list[str]]:
    """Collect the entries skipped in the block, each with its reason, ``MAX_COLLECTED`` at most."""
    collected: list[str] = []
    token = _COLLECTED.set(collected)
    try:
        yield collected
    finally:
        _COLLECTED.reset(token)


def skip(key: str | bytes, error: Exception, field: object = None) -> None:
    """Log once that the entry at ``key`` (its ``field``) is skipped because of ``error``."""
    where = _shown(key) if field is None else f"{_shown(key)} {_shown(field)!r}"
    reason = " ".join(str(error).split()) or type(error).__name__
    line = f"{where}: {_shown(reason)}"
    collected = _COLLECTED.get()
    if collected is not None and len(collected) < MAX_COLLECTED:
        collected.append(line)
    _log_once(f"skipped {line}")


def readable(
    key: str, fields: Mapping[Any, Any] | None, parse: Callable[[str, str], Item]
) -> dict[str, Item]:
    """The fields of the hash at ``key``, read by ``parse(field, value)``; bad ones are skipped."""
    items = {}
    for field, value in (fields or {}).items():
        try:
            name = text(field, MAX_NAME)
            items[name] = parse(name, text(value))
        except READ_ERRORS as error:
            skip(key, error, field)
    return items


def texts(key: str, members: Iterable[Any] | None) -> list[str]:
    """The members of the set or list at ``key`` that are text, in order; the others are skipped."""
    names = []
    for member in members or ():
        try:
            names.append(text(member, MAX_NAME))
        except ValueError as error:
            skip(key, error, member)
    return names


def execute(pipeline: Pipeline) -> list[Any]:
    """Execute ``pipeline``; the reply about a key of the wrong type is None, and is skipped.

    Raises what the client raises for any other error.
    """
    commands = [command for command, _ in pipeline.command_stack]
    replies = pipeline.execute(raise_on_error=False)
    for position, reply in enumerate(replies):
        if isinstance(reply, Exception):
            if not isinstance(reply, ResponseError) or not str(reply).startswith(_WRONG_TYPE):
                raise reply
            skip(commands[position][1], reply)
            replies[position] = None
    return replies


def reply_about(key: str, command: Callable[..., Any], *arguments: Any) -> Any:
    """The reply to ``command`` about ``key``; None where that has the wrong type, and is skipped.

    Raises ServerError.
    """
    with server_errors():
        try:
            return command(key, *arguments)
        except ResponseError as error:
            if not str(error).startswith(_WRONG_TYPE):
                raise
            skip(key, error)
            return None


def _shown(value: object) -> str:
    shown = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    shown = "".join(char if char.isprintable() else "\ufffd" for char in shown[: _MAX_SHOWN + 1])
    return shown if len(shown) <= _MAX_SHOWN else f"{shown[:_MAX_SHOWN]}…"


def _log_once(message: str) -> None:
    if message in _LOGGED or len(_LOGGED) > MAX_LOGGED:
        return
    _LOGGED.add(message)
    if len(_LOGGED) > MAX_LOGGED:
        message = "more entries are skipped than are logged"
    log.warning(message)
