"""Instants in requests."""

from __future__ import annotations

from datetime import datetime

from starlette.exceptions import HTTPException

from clock.schedule.option import Schema

INSTANT: Schema = {
    "type": "string",
    "format": "date-time",
    "maxLength": 50,
    "description": "An instant with an offset, as 2026-11-21T18:00Z.",
}


def read_instant(name: str, text: str, status: int) -> float:
    """The instant ``name`` of a request, in UTC seconds since 1970. Raises HTTPException with
    ``status``.
    """
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise ValueError("it needs an offset, as in 2026-11-21T18:00Z")
        return at.timestamp()
    except (ValueError, OverflowError) as error:
        raise HTTPException(status, f"the instant {name!r}: {error}") from None
