"""Checks of values from Redis, where anyone who can reach the server may have written them.

Every function raises ValueError with the reason.
"""

from __future__ import annotations

import re
from typing import Any

from clock.recurrence.zone import END

LONGEST = 1_000_000
"""Characters of a text."""

LARGEST = 2**53
"""The largest integer that every JSON reader keeps exactly, positive or negative."""

_NUMBER = r"-?[0-9]{1,40}(\.[0-9]{1,40})?(e[+-]?[0-9]{1,3})?"
_WHOLE = r"-?[0-9]{1,17}"


def text(value: Any, longest: int = LONGEST) -> str:
    """A string, or its UTF-8 bytes, of at most ``longest`` characters."""
    if not isinstance(value, (str, bytes)):
        raise ValueError("not text")
    if len(value) > longest:
        raise ValueError(f"longer than {longest} characters")
    try:
        string = value.decode() if isinstance(value, bytes) else value
        # JSON and pickles may contain a lone surrogate, which no response can be encoded with.
        string.encode()
    except UnicodeError:
        raise ValueError("not UTF-8") from None
    return string


def whole(value: Any, least: int = -LARGEST) -> int:
    """An integer from ``least`` to ``LARGEST``, or its digits."""
    if isinstance(value, (str, bytes)) and re.fullmatch(_WHOLE, text(value)):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("not an integer")
    if not least <= value <= LARGEST:
        raise ValueError("out of range")
    return value


def maybe_whole(value: Any, least: int = -LARGEST) -> int | None:
    """An integer, or None for None and for an empty string."""
    return None if value is None or value in {"", b""} else whole(value, least)


def number(value: Any) -> float:
    """A finite number of at most ``LARGEST``, or its digits."""
    if isinstance(value, (str, bytes)) and re.fullmatch(_NUMBER, text(value)):
        value = float(value)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise ValueError("not a number")
    if not abs(value) <= LARGEST:
        raise ValueError("out of range")
    return float(value)


def instant(value: Any) -> float:
    """An instant in UTC seconds since 1970, before the year 10000."""
    seconds = number(value)
    if not 0 <= seconds < END:
        raise ValueError("not an instant")
    return seconds


def second(value: Any) -> int:
    """An instant in whole UTC seconds since 1970, before the year 10000."""
    seconds = whole(value, 0)
    if seconds >= END:
        raise ValueError("not an instant")
    return seconds


def flag(value: Any) -> bool:
    """A boolean."""
    if not isinstance(value, bool):
        raise ValueError("not true or false")
    return value
