"""Durations: ``300``, ``"5m"``, ``"1 hour 30 minutes"``, ``timedelta(days=7)``."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import timedelta

Duration = int | str | timedelta
"""Seconds, a string such as ``"5m"``, or a timedelta."""

Timeout = float | Duration
"""A duration that may have a fraction of a second."""

LONGEST = 100 * 366 * 86_400
"""Seconds of the longest duration, a hundred years."""

UNIT_SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86_400),
    **dict.fromkeys(("w", "week", "weeks"), 604_800),
}
_PART = re.compile(r"([0-9]{1,12})\s*([a-z]+)\s*")


def split_units(text: str) -> list[tuple[int, str]]:
    """The counts and units of a lower-case text such as ``"1h30m"``; empty for any other text."""
    if _PART.sub("", text):
        return []
    return [(int(count), unit) for count, unit in _PART.findall(text)]


def parse_duration(value: object) -> int:
    """``value`` in whole seconds, 0 to a hundred years. Raises ValueError with one sentence."""
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, str):
        seconds = _parse_text(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        seconds = value
    else:
        raise ValueError(
            f"{value!r} is not a duration; write seconds, a string like '5m' or a timedelta"
        )
    _check_limits(value, seconds)
    if seconds != int(seconds):
        raise ValueError(f"{value!r} must be a whole number of seconds")
    return int(seconds)


def parse_timeout(value: object) -> float:
    """As ``parse_duration``, but a fraction of a second is kept."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(seconds, str):
        with suppress(ValueError):  # parse_duration says what is wrong with it
            seconds = float(seconds)
    if not isinstance(seconds, float):
        return float(parse_duration(seconds))
    _check_limits(value, seconds)
    return seconds


def _check_limits(value: object, seconds: float) -> None:
    if seconds < 0:
        raise ValueError(f"{value!r} must not be negative")
    if not seconds <= LONGEST:  # nor is nan
        raise ValueError(f"{value!r} must be at most a hundred years")


def _parse_text(text: str) -> int:
    lower = text.strip().lower()
    if lower.isascii() and lower.isdecimal():
        return int(lower[:12])
    parts = split_units(lower)
    if not parts:
        raise ValueError(
            f"{text!r} is not a duration; write one like '90s', '5m', '1h30m' or '7 days'"
        )
    for _, unit in parts:
        if unit not in UNIT_SECONDS:
            raise ValueError(
                f"{text!r} is not a duration: the unit {unit!r} is unknown; use s, m, h, d or w"
            )
    return sum(count * UNIT_SECONDS[unit] for count, unit in parts)
