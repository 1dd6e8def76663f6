"""A time to wait: ``2``, ``0.5``, ``"30s"``, ``timedelta``; it may have a fraction of a second."""

from __future__ import annotations

import math
from datetime import timedelta

from clock.schedule.duration import parse_duration

Span = float | int | str | timedelta


def seconds(value: Span) -> float:
    """``value`` in seconds, 0 or more. Raises ValueError with one sentence."""
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, float):
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"{value!r} is not a number of seconds, 0 or more")
        return value
    return float(parse_duration(value))
