"""Pages of a list of events, by a cursor."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from clock.errors import CursorError
from clock.observe.status import EventStatus


def page_after(
    events: Sequence[EventStatus], cursor: str | None, limit: int
) -> tuple[Sequence[EventStatus], str | None]:
    """At most ``limit`` of ``events``, from behind the one at which ``cursor`` stands, and the
    cursor of what follows, None at the end.

    Where that event is gone, the page begins at its position. Where the order changed since, an
    event may be on two pages, or on none. Raises CursorError.
    """
    start = 0
    if cursor is not None:
        position, name = _read(cursor)
        names = [event.name for event in events]
        start = names.index(name) + 1 if name in names else position
    page = events[start : start + limit]
    end = start + len(page)
    return page, _write(end - 1, page[-1].name) if page and end < len(events) else None


def _write(position: int, name: str) -> str:
    return urlsafe_b64encode(json.dumps([position, name]).encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[int, str]:
    try:
        text = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode()
        position, name = json.loads(text)
        if type(position) is not int or not 0 <= position < 10**9 or not isinstance(name, str):
            raise ValueError("not a cursor")
    except (ValueError, TypeError, RecursionError):
        raise CursorError("the cursor is not one that a page returned") from None
    return position, name
