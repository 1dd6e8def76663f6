"""The identity of a recurrence: a short text that equal recurrences share, and only they."""

from __future__ import annotations

import hashlib
from collections.abc import Set
from dataclasses import fields
from functools import cache, lru_cache
from typing import Any

from clock.recurrence.dates import DateFunction
from clock.recurrence.recurrence import Recurrence
from clock.recurrence.zone import Zone


@lru_cache(maxsize=4096)
def identity(recurrence: Recurrence) -> str:
    """32 hexadecimal digits that change exactly when ``recurrence`` does.

    A respelling changes nothing: ``"day"`` at midnight is ``cron("0 0 * * *")``. A stream and a
    function of a date have no content to compare; the name they have stands for them.

    The tags of classes and fields go into it, and a ledger keeps it: to change one is to tell
    every running clock that its recurrences changed.
    """
    return hashlib.blake2b(_spell(recurrence).encode(), digest_size=16).hexdigest()


def _spell(value: object) -> str:
    if isinstance(value, Zone):
        return value.name
    if isinstance(value, DateFunction):
        return str(value)
    kind: Any = type(value)
    tags = getattr(kind, "tags", None)
    if tags is not None:
        parts = (f"{tag}={_spell(getattr(value, name))}" for tag, name in _compared(kind))
        return f"{tags.name}({', '.join(parts)})"
    if isinstance(value, Set):
        return "{" + ", ".join(sorted(_spell(item) for item in value)) + "}"
    if isinstance(value, tuple):
        return "(" + ", ".join(_spell(item) for item in value) + ")"
    return repr(value)


@cache
def _compared(kind: Any) -> tuple[tuple[str, str], ...]:
    """The tags, each with its attribute, of the fields that make two of a class differ."""
    compared = {field.name for field in fields(kind) if field.compare}
    return tuple((tag, name) for tag, name in kind.tags.fields.items() if name in compared)
