"""Durations and instants as text."""

from __future__ import annotations

from datetime import UTC, datetime

from clock.instant import utc_text
from clock.recurrence.zone import Zone

_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def span(seconds: float) -> str:
    """A duration in its two largest units: ``2 h 5 min``, ``12 s``."""
    rest = max(round(seconds), 0)
    parts = []
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"


def local(instant: float, zone: Zone) -> str:
    """An instant (UTC seconds since 1970) on the clock of ``zone``, with its weekday and offset."""
    return f"{zone.local(int(instant)):%a %Y-%m-%d %H:%M:%S %z}"


def utc(instant: float | None) -> str | None:
    """An instant in ISO 8601, for machines; None for None."""
    return None if instant is None else utc_text(int(instant))


def utc_exact(instant: float | None) -> str | None:
    """An instant in ISO 8601 with milliseconds; None for None."""
    if instant is None:
        return None
    at = datetime.fromtimestamp(instant, UTC).replace(tzinfo=None)
    return f"{at.isoformat(timespec='milliseconds')}Z"
