"""The heat map: days by the minute. An hour is a block of six rows of ten minutes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from markupsafe import Markup

from clock.observe.upcoming import MINUTE, Load
from clock.recurrence.zone import Zone

LEVELS = 5

_SHARES = (0.0, 0.2, 0.45, 0.7, 0.9)

_DAY_MINUTES = 1440
_CELL, _ACROSS, _DOWN = 3, 10, 6
_HOUR, _ROW = _CELL * _ACROSS + 4, _CELL * _DOWN + 6
_LEFT, _TOP = 84, 20


def steps(counts: Sequence[int]) -> list[int]:
    """The lowest number of jobs of each level, beginning at that of the emptiest minute that has
    any, so that the jobs of every minute do not hide the rest.
    """
    least, most = min(filter(None, counts), default=1), max(counts, default=1)
    return sorted({least + math.ceil((most - least) * share) for share in _SHARES})


def draw(load: Load, levels: Sequence[int], zone: Zone, now: int, summary: str) -> Markup:
    """The map of ``load`` on the clock of ``zone``, with a mark at ``now`` (UTC seconds since
    1970); ``summary`` says in words what there is.
    """
    first = (load.start + zone.offset(load.start)) // 86_400
    days: dict[int, list[int]] = {}
    for number, count in enumerate(load.counts):
        at = load.start + number * MINUTE
        day, second = divmod(at + zone.offset(at), 86_400)
        minutes = days.setdefault(day - first, [0] * _DAY_MINUTES)
        # An hour that comes twice is drawn once, with the larger counts.
        minutes[second // MINUTE] = max(minutes[second // MINUTE], count)
    parts = [_hours(), *(_name(first + day, day) for day in days), _back(len(days))]
    parts += _cells(days, levels)
    parts.append(_now(now, first, zone))
    size = (_LEFT + 24 * _HOUR, _TOP + len(days) * _ROW)
    return Markup(
        '<svg class="heat" role="img" aria-label="{}" viewBox="0 0 {} {}">{}</svg>'
    ).format(summary, *size, Markup("").join(parts))


def _now(now: int, first: int, zone: Zone) -> Markup:
    day, second = divmod(now + zone.offset(now), 86_400)
    minute = second // MINUTE
    x, y = _position(day - first, minute // 60 * 60)
    x += minute % _ACROSS * _CELL
    height = _CELL * _DOWN + 4
    return Markup('<path class="now" d="M{} {}v{}"><title>now</title></path>').format(
        x, y - 2, height
    )


def _cells(days: dict[int, list[int]], levels: Sequence[int]) -> list[Markup]:
    paths: dict[int, list[str]] = {}
    for day, minutes in days.items():
        for start in range(0, _DAY_MINUTES, _ACROSS):
            _runs(day, start, minutes[start : start + _ACROSS], levels, paths)
    return [
        Markup('<path class="h-{}" d="{}"/>').format(shade(level, levels), "".join(pieces))
        for level, pieces in sorted(paths.items())
    ]


def shade(level: int, levels: Sequence[int]) -> int:
    """The shade of a level, 1 to ``LEVELS``: the lowest one is pale however few there are."""
    return level if level == 1 else level + LEVELS - len(levels)


def _runs(
    day: int, start: int, counts: Sequence[int], levels: Sequence[int], paths: dict[int, list[str]]
) -> None:
    """Draw ten minutes; neighbours of one level are one piece."""
    x, y = _position(day, start)
    begin = 0
    for at in range(1, len(counts) + 1):
        level = _level(counts[begin], levels)
        if at < len(counts) and _level(counts[at], levels) == level:
            continue
        if level:
            width = (at - begin) * _CELL
            piece = f"M{x + begin * _CELL} {y}h{width}v{_CELL}h-{width}z"
            paths.setdefault(level, []).append(piece)
        begin = at


def _level(count: int, levels: Sequence[int]) -> int:
    return sum(1 for lowest in levels if count >= lowest)


def _position(day: int, minute: int) -> tuple[int, int]:
    hour, rest = divmod(minute, 60)
    return _LEFT + hour * _HOUR, _TOP + day * _ROW + rest // _ACROSS * _CELL


def _back(days: int) -> Markup:
    pieces = "".join(
        f"M{_LEFT + hour * _HOUR} {_TOP + day * _ROW}h{_CELL * _ACROSS}v{_CELL * _DOWN}"
        f"h-{_CELL * _ACROSS}z"
        for day in range(days)
        for hour in range(24)
    )
    return Markup('<path class="back" d="{}"/>').format(pieces)


def _hours() -> Markup:
    return Markup("").join(
        Markup('<text x="{}" y="13">{:02}</text>').format(_LEFT + hour * _HOUR, hour)
        for hour in range(24)
    )


def _name(day: int, row: int) -> Markup:
    date = datetime.fromtimestamp(day * 86_400, UTC)
    y = _TOP + row * _ROW + _CELL * _DOWN - 5
    return Markup('<text x="0" y="{}">{}</text>').format(y, f"{date:%a %d %b}")
