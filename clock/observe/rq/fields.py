"""Fields of RQ's hashes: texts, cut for display, and timestamps."""

from __future__ import annotations

from datetime import UTC, datetime

from clock.ledger.values import instant, text

LONGEST = 2_000
"""Characters shown of one field."""

_MOST_BYTES = 4

LONGEST_TIMESTAMP = 100
"""Characters of a timestamp."""


def display_text(value: bytes | str | None) -> str | None:
    """The text of a field, None if it is empty; invalid UTF-8 is replaced, and long text is cut."""
    if not value:
        return None
    if isinstance(value, bytes):
        value = value[: _MOST_BYTES * LONGEST].decode(errors="replace")
    return value[:LONGEST].encode(errors="replace").decode()


def read_timestamp(value: bytes | str | None) -> float | None:
    """A timestamp as UTC seconds since 1970; None where it is empty or invalid."""
    if not value:
        return None
    try:
        at = datetime.fromisoformat(text(value, LONGEST_TIMESTAMP))
        return instant((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None
