"""Values as Python source."""

from __future__ import annotations

import ast
import json


def literal(value: object) -> str:
    """``value`` as the source of a literal. Raises ValueError where there is none."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    source = repr(value)
    try:
        same = ast.literal_eval(source) == value
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        same = False
    if not same:
        raise ValueError(f"{source[:80]} cannot be written in a file")
    return source
