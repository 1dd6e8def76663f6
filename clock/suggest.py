"""What somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], *, likeness: float = 0.6) -> str | None:
    """The one of ``known`` that is most like ``word``; None where none is.

    ``likeness`` is how much two words have in common at least, from 0 to 1.
    """
    # Only a mistake needs it.
    import difflib

    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=likeness)
    return matches[0] if matches else None
