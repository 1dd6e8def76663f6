"""Text fields of RQ's hashes, cut for display."""

from __future__ import annotations

LONGEST = 2_000
"""Characters shown of one field."""

_MOST_BYTES = 4


def display_text(value: bytes | str | None) -> str | None:
    """The text of a field, None if it is empty; invalid UTF-8 is replaced, and long text is cut."""
    if not value:
        return None
    if isinstance(value, bytes):
        value = value[: _MOST_BYTES * LONGEST].decode(errors="replace")
    return value[:LONGEST].encode(errors="replace").decode()
