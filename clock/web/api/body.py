"""The body of a request: JSON whose strings Redis can store."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from starlette.exceptions import HTTPException
from starlette.requests import Request

DEEPEST = 100
"""Levels of lists and objects in a body: what checks, stores and shows it calls itself at each."""


async def read_body(request: Request) -> Any:
    """The JSON value in the body of ``request``, None for an empty body. Raises HTTPException."""
    # The guard has read it whole and limited its size.
    body = await request.body()
    if not body:
        return None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "the body must be JSON, and its Content-Type application/json")
    try:
        value = json.loads(body.decode(), parse_constant=_reject)
        if _is_deep(value):
            raise RecursionError
        # A string may contain a lone surrogate, which UTF-8 cannot encode.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        detail = f"the body is nested more than {DEEPEST} levels deep"
        raise HTTPException(400, detail) from None
    except ValueError as error:
        raise HTTPException(400, f"the body is not JSON in UTF-8: {error}") from None
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
