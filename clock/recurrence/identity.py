"""What a recurrence is, as one short text: equal recurrences have it in common, others have not."""

from __future__ import annotations

import hashlib
from collections.abc import Set
from dataclasses import fields, is_dataclass
from functools import lru_cache

from clock.recurrence.dates import DateFunction
from clock.recurrence.recurrence import Recurrence
from clock.recurrence.zone import Zone


@lru_cache(maxsize=4096)
def identity(recurrence: Recurrence) -> str:
    """32 hexadecimal digits that change exactly when ``recurrence`` does.

    A respelling changes nothing: ``"day"`` at midnight is ``cron("0 0 * * *")``. A stream and a
    function of a date have no content to compare; the name they have stands for them.

    The names of classes and fields go into it, and a ledger keeps it: to rename one is to tell
    every running clock that its recurrences changed.
    """
    return hashlib.blake2b(_spell(recurrence).encode(), digest_size=16).hexdigest()


def _spell(value: object) -> str:
    if isinstance(value, Zone):
        return value.name
    if isinstance(value, DateFunction):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        parts = (
            f"{each.name}={_spell(getattr(value, each.name))}"
            for each in fields(value)
            if each.compare and each.repr
        )
        return f"{type(value).__name__}({', '.join(parts)})"
    if isinstance(value, Set):
        return "{" + ", ".join(sorted(_spell(each) for each in value)) + "}"
    if isinstance(value, tuple):
        return "(" + ", ".join(_spell(each) for each in value) + ")"
    return repr(value)
