"""Cursors: where a page ended, as a text to be given back for the next one."""

from __future__ import annotations

import math
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

from clock.errors import CursorError

_MOST = 2**53


class Cursor(NamedTuple):
    """The last entry of a page: its place or score, and what it is called."""

    score: float
    member: str

    def __str__(self) -> str:
        return urlsafe_b64encode(f"{self.score!r} {self.member}".encode()).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """The cursor that ``str`` made ``text`` of. Raises CursorError."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode()
        score, _, member = raw.partition(" ")
        cursor = Cursor(float(score), member)
    except ValueError:
        raise CursorError("the cursor is none that a page here gave") from None
    if math.isnan(cursor.score) or not re.fullmatch(r"[A-Za-z0-9_:.-]{1,400}", member):
        raise CursorError("the cursor is none that a page here gave")
    if math.isfinite(cursor.score) and not 0 <= cursor.score < _MOST:
        raise CursorError("the cursor is none that a page here gave")
    return cursor
