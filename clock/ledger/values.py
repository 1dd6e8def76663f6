"""Values from Redis, checked: whoever reaches the server may have written anything there.

Every function raises ValueError, saying what the value is not.
"""

from __future__ import annotations

import re
from typing import Any

from clock.recurrence.zone import END

LONGEST = 1_000_000
"""Characters of a text at most."""

LARGEST = 2**53
"""The largest whole number that every reader of JSON takes for itself, on either side of 0."""

_NUMBER = r"-?[0-9]{1,40}(\.[0-9]{1,40})?(e[+-]?[0-9]{1,3})?"
_WHOLE = r"-?[0-9]{1,17}"


def text(value: Any, longest: int = LONGEST) -> str:
    """A text, from itself or from its bytes."""
    if not isinstance(value, (str, bytes)):
        raise ValueError("not a text")
    if len(value) > longest:
        raise ValueError(f"longer than {longest}")
    try:
        found = value.decode() if isinstance(value, bytes) else value
        # JSON and pickles may hold half of a pair of surrogates, which cannot be sent anywhere.
        found.encode()
    except UnicodeError:
        raise ValueError("not UTF-8") from None
    return found


def maybe_text(value: Any) -> str | None:
    """A text, or None for None and for an empty one."""
    return text(value) if value else None


def whole(value: Any, least: int = -LARGEST) -> int:
    """A whole number from ``least`` to ``LARGEST``, from itself or from its digits."""
    if isinstance(value, (str, bytes)) and re.fullmatch(_WHOLE, text(value)):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("not a whole number")
    if not least <= value <= LARGEST:
        raise ValueError("too large a number" if value > 0 else "too small a number")
    return value


def maybe_whole(value: Any, least: int = -LARGEST) -> int | None:
    """A whole number, or None for None and for an empty text."""
    return None if value is None or value in {"", b""} else whole(value, least)


def number(value: Any) -> float:
    """A finite number that is no larger than a whole one may be."""
    if isinstance(value, (str, bytes)) and re.fullmatch(_NUMBER, text(value)):
        value = float(value)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise ValueError("not a number")
    if not abs(value) <= LARGEST:
        raise ValueError("too large a number")
    return float(value)


def instant(value: Any) -> float:
    """An instant in UTC seconds since 1970, not before 1970 and not after 9999."""
    found = number(value)
    if not 0 <= found < END:
        raise ValueError("not an instant")
    return found


def second(value: Any) -> int:
    """An instant that is a whole second."""
    found = whole(value, 0)
    if found >= END:
        raise ValueError("not an instant")
    return found


def flag(value: Any) -> bool:
    """Yes or no."""
    if not isinstance(value, bool):
        raise ValueError("not true or false")
    return value
