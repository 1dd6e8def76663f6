"""ETags of the API: a client that has a response already gets 304 without it."""

from __future__ import annotations

import hashlib

from starlette.requests import Request
from starlette.responses import Response


def etag_of(body: bytes) -> str:
    """The ETag of a response. A weak one, as the body may be compressed on its way."""
    return f'W/"{hashlib.sha256(body).hexdigest()[:24]}"'


def with_etag(
    request: Request, body: bytes, media_type: str, status: int = 200, etag: str | None = None
) -> Response:
    """The response to ``request`` with its ETag, or 304 without the body."""
    headers = {"etag": etag or etag_of(body), "cache-control": "private, no-cache"}
    if is_known(request.headers.get("if-none-match"), headers["etag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, status, headers, media_type)


def is_known(if_none_match: str | None, etag: str) -> bool:
    """Whether a client that sent this ``If-None-Match`` has the response with that ETag."""
    if if_none_match is None:
        return False
    tags = [tag.strip() for tag in if_none_match.split(",")]
    return "*" in tags or etag.removeprefix("W/") in [tag.removeprefix("W/") for tag in tags]
