"""Instants as RQ writes them."""

from __future__ import annotations

from datetime import UTC, datetime

from clock.ledger.values import instant, text

LONGEST = 100
"""Characters of an instant."""


def read_timestamp(value: bytes | str | None) -> float | None:
    """An instant of a job's hash in UTC seconds since 1970; None where there is none, or none that
    can be.
    """
    if not value:
        return None
    try:
        at = datetime.fromisoformat(text(value, LONGEST))
        return instant((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None
