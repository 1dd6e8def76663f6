"""Instants as RQ writes them."""

from __future__ import annotations

from datetime import UTC, datetime

from rq.utils import as_text


def read_instant(value: bytes | str | None) -> float | None:
    """An instant of a job's hash in UTC seconds since 1970; None where there is none."""
    if not value:
        return None
    try:
        found = datetime.fromisoformat(as_text(value))
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
