"""What is in Redis and cannot be read: it is left out, and the log says once what and why.

One item must not hide the others: a key of another type, a line that somebody else wrote, a field
of a later release.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from redis.client import Pipeline
from redis.exceptions import ResponseError

from clock.ledger.values import text

UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What reading raises that meets something else than it expects."""

LONGEST_NAME = 2_000
"""Characters of the name of an event, a queue, a worker or a job."""

MOST_SAID = 1_000
"""Lines of a process at most: whoever writes what cannot be read could write it without an end."""

MOST_NOTED = 20
"""Lines that are noted at once."""

_SHOWN = 100

log = logging.getLogger("clock.ledger")

Item = TypeVar("Item")


@contextmanager
def noted() -> Iterator[list[str]]:
    """What is left out while the block runs, and why: at most ``MOST_NOTED`` lines."""
    noted: list[str] = []
    token = _NOTED.set(noted)
    try:
        yield noted
    finally:
        _NOTED.reset(token)


_NOTED: ContextVar[list[str] | None] = ContextVar("noted", default=None)


def leave_out(key: str | bytes, error: Exception, field: object = None) -> None:
    """Say, once, that what is at ``key`` (in its ``field``) is left out because of ``error``."""
    place = _shown(key) if field is None else f"{_shown(key)} {_shown(field)!r}"
    line = f"{place}: {_shown(' '.join(str(error).split()) or type(error).__name__)}"
    noted = _NOTED.get()
    if noted is not None and len(noted) < MOST_NOTED:
        noted.append(line)
    _say(f"left out {line}")


def readable(
    key: str, found: Mapping[Any, Any] | None, parse: Callable[[str, str], Item]
) -> dict[str, Item]:
    """Those fields of the hash at ``key`` that ``parse``, given a field and its text, can read."""
    read = {}
    for field, value in (found or {}).items():
        try:
            name = text(field, LONGEST_NAME)
            read[name] = parse(name, text(value))
        except UNREADABLE as error:
            leave_out(key, error, field)
    return read


def texts(key: str, found: Iterable[Any] | None) -> list[str]:
    """Those members of the set or list at ``key`` that are texts, in their order."""
    read = []
    for member in found or ():
        try:
            read.append(text(member, LONGEST_NAME))
        except ValueError as error:
            leave_out(key, error, member)
    return read


def ask(pipeline: Pipeline) -> list[Any]:
    """The replies to what is in ``pipeline``; None for a key that holds something else.

    Raises what the client raises for any other error.
    """
    asked = [command for command, _ in pipeline.command_stack]
    replies = pipeline.execute(raise_on_error=False)
    for place, reply in enumerate(replies):
        if isinstance(reply, Exception):
            if not is_of_another_type(reply):
                raise reply
            leave_out(asked[place][1], reply)
            replies[place] = None
    return replies


def is_of_another_type(error: Exception) -> bool:
    """Whether ``error`` says that a key holds something else than was asked for."""
    return isinstance(error, ResponseError) and str(error).startswith("WRONGTYPE")


def _shown(value: object) -> str:
    said = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    said = "".join(each if each.isprintable() else "\ufffd" for each in said[: _SHOWN + 1])
    return said if len(said) <= _SHOWN else f"{said[:_SHOWN]}…"


def _say(message: str) -> None:
    if message in _SAID or len(_SAID) > MOST_SAID:
        return
    _SAID.add(message)
    log.warning(message if len(_SAID) <= MOST_SAID else "more is left out than is said here")


_SAID: set[str] = set()
