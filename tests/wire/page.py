"""What ``docs/wire.md`` says."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "wire.md").read_text()


def snippet(language: str) -> str:
    """The one block of the page in a language."""
    (code,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(code)


def fields() -> dict[str, str]:
    """The fields of the table, each with its word: must, should or may."""
    rows = re.findall(r"^\| `(\w+)` \| (must|should|may) \|", PAGE, re.MULTILINE)
    return dict(rows)


def fields_left_out() -> set[str]:
    """The fields that the page says to leave out."""
    (sentence,) = re.findall(r"^The rest that RQ's .*?\n\n", PAGE, re.MULTILINE | re.DOTALL)
    return set(re.findall(r"`(\w+_\w+)`", sentence))
