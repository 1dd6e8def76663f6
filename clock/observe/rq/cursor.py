"""Cursors: the end of a page, as a string with which the next page is asked for."""

from __future__ import annotations

import math
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

from clock.errors import CursorError

_MOST = 2**53
LONGEST_QUEUE = 200
"""Characters of the name of a queue in a cursor."""


class Cursor(NamedTuple):
    """The last entry of a page: its position or score, its member, and its queue; that is empty in
    a cursor of 0.1.0, which only had pages of one queue.
    """

    score: float
    member: str
    queue: str = ""

    def __str__(self) -> str:
        text = f"{self.score!r} {self.member}" + (f" {self.queue}" if self.queue else "")
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """The cursor whose ``str`` is ``text``. Raises CursorError."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode()
        score, _, rest = raw.partition(" ")
        member, _, queue = rest.partition(" ")
        cursor = Cursor(float(score), member, queue)
        _check(cursor)
    except ValueError:
        raise CursorError("the cursor is not one that a page returned") from None
    return cursor


def _check(cursor: Cursor) -> None:
    is_member = re.fullmatch(r"[A-Za-z0-9_:.-]{1,400}", cursor.member)
    is_score = math.isinf(cursor.score) or 0 <= cursor.score < _MOST
    if not is_member or not is_score or len(cursor.queue) > LONGEST_QUEUE:
        raise ValueError("not a cursor")
