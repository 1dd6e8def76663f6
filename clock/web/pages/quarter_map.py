"""The heat map for a narrow screen: days by the quarter of an hour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from markupsafe import Markup

from clock.observe.upcoming import MINUTE, Load
from clock.recurrence.zone import Zone
from clock.web.pages.heatmap import shade

QUARTER = 15 * MINUTE

_OF_DAY = 86_400 // QUARTER
_CELL, _ROW, _HIGH = 3.7, 20, 16
_LEFT, _TOP = 52, 18


def quarters(load: Load) -> Load:
    """``load`` by the quarter of an hour: its counts are those of a quarter each."""
    start = load.start // QUARTER * QUARTER
    counts = [0] * ((load.start - start) // MINUTE) + list(load.counts)
    width = QUARTER // MINUTE
    summed = [sum(counts[at : at + width]) for at in range(0, len(counts), width)]
    return Load(start=start, counts=summed, worst=load.worst, unknown=load.unknown)


def draw(load: Load, levels: Sequence[int], zone: Zone, now: int, summary: str) -> Markup:
    """The map of ``load``, which has quarters, as ``heatmap.draw`` makes one of minutes."""
    first = (load.start + zone.offset(load.start)) // 86_400
    days: dict[int, list[int]] = {}
    for number, count in enumerate(load.counts):
        at = load.start + number * QUARTER
        day, second = divmod(at + zone.offset(at), 86_400)
        row = days.setdefault(day - first, [0] * _OF_DAY)
        row[second // QUARTER] = max(row[second // QUARTER], count)
    parts = [_hours(), *(_day(first + day, day) for day in days), *_cells(days, levels)]
    day, second = divmod(now + zone.offset(now), 86_400)
    x, y = _LEFT + second / QUARTER * _CELL, _TOP + (day - first) * _ROW
    parts.append(
        Markup('<path class="now" d="M{:.1f} {}v{}"><title>now</title></path>').format(
            x, y - 2, _HIGH + 4
        )
    )
    size = (f"{_LEFT + _OF_DAY * _CELL:g}", _TOP + len(days) * _ROW)
    return Markup(
        '<svg class="heat" role="img" aria-label="{}" viewBox="0 0 {} {}">{}</svg>'
    ).format(summary, *size, Markup("").join(parts))


def _cells(days: dict[int, list[int]], levels: Sequence[int]) -> list[Markup]:
    paths: dict[int, list[str]] = {}
    for day, counts in days.items():
        for at, count in enumerate(counts):
            level = sum(1 for lowest in levels if count >= lowest)
            if level:
                x, y = _LEFT + at * _CELL, _TOP + day * _ROW
                paths.setdefault(level, []).append(f"M{x:.1f} {y}h{_CELL}v{_HIGH}h-{_CELL}z")
    return [
        Markup('<path class="h-{}" d="{}"/>').format(shade(level, levels), "".join(pieces))
        for level, pieces in sorted(paths.items())
    ]


def _hours() -> Markup:
    return Markup("").join(
        Markup('<text x="{:.1f}" y="12">{:02}</text>').format(_LEFT + hour * 4 * _CELL, hour)
        for hour in range(0, 24, 6)
    )


def _day(day: int, row: int) -> Markup:
    y = _TOP + row * _ROW
    return Markup(
        '<text x="0" y="{}">{}</text><path class="back" d="M{} {}h{:g}v{}h-{:g}z"/>'
    ).format(
        y + 13,
        f"{datetime.fromtimestamp(day * 86_400, UTC):%a %d}",
        _LEFT,
        y,
        _OF_DAY * _CELL,
        _HIGH,
        _OF_DAY * _CELL,
    )
