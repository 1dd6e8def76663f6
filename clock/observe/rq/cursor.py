"""Cursors: the end of a page, as a string with which the next page is asked for."""

from __future__ import annotations

import math
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

from clock.errors import CursorError

_MOST = 2**53


class Cursor(NamedTuple):
    """The last entry of a page: its position or score, and its member."""

    score: float
    member: str

    def __str__(self) -> str:
        return urlsafe_b64encode(f"{self.score!r} {self.member}".encode()).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """The cursor whose ``str`` is ``text``. Raises CursorError."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode()
        score, _, member = raw.partition(" ")
        cursor = Cursor(float(score), member)
        _check(cursor)
    except ValueError:
        raise CursorError("the cursor is not one that a page returned") from None
    return cursor


def _check(cursor: Cursor) -> None:
    is_member = re.fullmatch(r"[A-Za-z0-9_:.-]{1,400}", cursor.member)
    is_score = math.isinf(cursor.score) or 0 <= cursor.score < _MOST
    if not is_member or not is_score:
        raise ValueError("not a cursor")
