"""JSON that somebody sent: values that can be checked, stored and written again."""

from __future__ import annotations

import json
from typing import Any, NoReturn

DEEPEST = 100
"""Levels of lists and objects: what checks, stores and shows a value calls itself at each."""


class TooDeepError(ValueError):
    """A value has too many levels."""


def parse_json(text: str) -> Any:
    """The value of ``text``. Raises ValueError, with the reason."""
    try:
        value = json.loads(text, parse_constant=_reject)
        if _is_deep(value):
            raise RecursionError
        # A string may contain a lone surrogate, which UTF-8 cannot encode.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise TooDeepError(f"nested more than {DEEPEST} levels deep") from None
    return value


def _is_deep(value: Any) -> bool:
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(DEEPEST):
        items = [item.values() if isinstance(item, dict) else item for item in level]
        level = [inner for item in items for inner in item if isinstance(inner, (dict, list))]
        if not level:
            return False
    return True


def _reject(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number in JSON")
