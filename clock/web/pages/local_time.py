"""Local times as browsers send them from a field of a form."""

from __future__ import annotations

import calendar
import time

from clock.recurrence.zone import Zone

_FORMATS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")


def read_local(text: str, zone: Zone) -> int:
    """The instant (UTC seconds since 1970) of ``2026-03-29T02:30``, seconds allowed, on the clock
    of ``zone``. Raises ValueError for another text.
    """
    for form in _FORMATS:
        try:
            return zone.instant(calendar.timegm(time.strptime(text[:30], form)))
        except ValueError:
            continue
    raise ValueError(f"{text[:30]!r} is not a date and a time")


def write_local(instant: int, zone: Zone) -> str:
    """``instant`` as a field of a form takes it."""
    return f"{zone.local(instant):%Y-%m-%dT%H:%M:%S}"
