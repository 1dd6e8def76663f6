"""The body of a request: JSON, and text that Redis can keep."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from starlette.exceptions import HTTPException
from starlette.requests import Request


async def read_body(request: Request) -> Any:
    """The JSON value that ``request`` brings, None where it brings nothing.

    Raises HTTPException.
    """
    # The guard has read it whole, and lets no larger one through than it says.
    body = await request.body()
    if not body:
        return None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "the body must be JSON, and its Content-Type application/json")
    try:
        found = json.loads(body.decode(), parse_constant=_refuse)
        # A text may hold half of a pair of surrogates, which no UTF-8 has.
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise HTTPException(400, "the body is nested too deeply") from None
    except ValueError as error:
        raise HTTPException(400, f"the body is not JSON in UTF-8: {error}") from None
    return found


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")
