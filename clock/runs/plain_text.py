"""Text that anybody may have written, made safe to show: on a terminal, and in a page."""

from __future__ import annotations

import re

_ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI, as for colours and the cursor
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS
    r"|\x1b[ -/]*[0-~]"
)
"""The control sequences of ECMA-48, which terminals obey."""

_UNUSUAL = re.compile(r"[^ -~\n\t]")


def plain_text(text: str) -> str:
    """``text`` without control sequences of terminals; other characters that cannot be printed are
    shown as Python escapes them. Line feeds and tabs stay.
    """
    if text.isprintable():
        return text
    return _UNUSUAL.sub(_shown, _ESCAPE_SEQUENCE.sub("", text))


def _shown(match: re.Match[str]) -> str:
    character = match[0]
    return character if character.isprintable() else character.encode("unicode_escape").decode()
