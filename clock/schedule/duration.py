"""Lengths of time in options, as whole seconds: ``300``, ``"5m"``, ``"7 days"``, ``timedelta``."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_WORDS = {
    "sec": "s", "secs": "s", "second": "s", "seconds": "s",
    "min": "m", "mins": "m", "minute": "m", "minutes": "m",
    "hr": "h", "hrs": "h", "hour": "h", "hours": "h",
    "day": "d", "days": "d", "week": "w", "weeks": "w",
}  # fmt: skip
_PART = re.compile(r"([0-9]{1,12})\s*([a-z]+)\s*")
LONGEST = 100 * 366 * 86_400


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
            f"{value!r} is not a length of time; write seconds, a text like '5m' or a timedelta"
        )
    if seconds != int(seconds) or not 0 <= seconds <= LONGEST:
        raise ValueError(f"{value!r} is not a whole number of seconds from 0 to a hundred years")
    return int(seconds)


def _parse_text(text: str) -> int:
    lower = text.strip().lower()
    if lower.isascii() and lower.isdecimal():
        return int(lower[:12])
    parts = _PART.findall(lower)
    if not parts or _PART.sub("", lower):
        raise ValueError(
            f"{text!r} is not a length of time; write one like '90s', '5m', '1h30m' or '7 days'"
        )
    seconds = 0
    for count, word in parts:
        unit = _WORDS.get(word, word)
        if unit not in _UNITS:
            raise ValueError(
                f"{text!r} is not a length of time: the unit {word!r} is unknown; "
                "use s, m, h, d or w"
            )
        seconds += int(count[:12]) * _UNITS[unit]
    return seconds
