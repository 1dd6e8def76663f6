"""Timestamps as RQ writes them."""

from __future__ import annotations

from datetime import UTC, datetime

from clock.ledger.values import instant, text

LONGEST = 100
"""Characters of a timestamp."""


def read_timestamp(value: bytes | str | None) -> float | None:
    """A timestamp of RQ's hashes as UTC seconds since 1970; None where it is empty or invalid."""
    if not value:
        return None
    try:
        at = datetime.fromisoformat(text(value, LONGEST))
        return instant((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None
