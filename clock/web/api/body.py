"""The body of a request: JSON whose strings Redis can store."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from clock.web.json_text import TooDeepError, parse_json


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
        return parse_json(body.decode())
    except TooDeepError as error:
        raise HTTPException(400, f"the body is {error}") from None
    except ValueError as error:
        raise HTTPException(400, f"the body is not JSON in UTF-8: {error}") from None
