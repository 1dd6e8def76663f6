"""Words of RQ's hashes, to be shown and nothing else."""

from __future__ import annotations

LONGEST = 2_000
"""Characters that are shown of one."""

_MOST_BYTES = 4


def words(value: bytes | str | None) -> str | None:
    """What a field says, None where it is empty. What is not UTF-8 in it is shown as such, and what
    is too long is cut.
    """
    if not value:
        return None
    if isinstance(value, bytes):
        value = value[: _MOST_BYTES * LONGEST].decode(errors="replace")
    return value[:LONGEST].encode(errors="replace").decode()
