"""A small plot: lines over the number of events, both axes logarithmic, as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import ceil, floor, log10

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 150, 40, 50
COLOURS = ("#0969da", "#cf222e", "#1a7f37", "#8250df", "#9a6700")
UNITS = {-6: "1 µs", -5: "10 µs", -4: "100 µs", -3: "1 ms", -2: "10 ms", -1: "100 ms"}

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """``lines`` gives a row of (number of events, seconds), both above zero, for each name."""

    file: str
    title: str
    lines: Mapping[str, Points]

    def svg(self) -> str:
        """The plot as the text of an SVG file."""
        return "\n".join(_svg(self)) + "\n"


def _svg(plot: Plot) -> Iterator[str]:
    points = [point for line in plot.lines.values() for point in line]
    x = _Axis([point[0] for point in points], LEFT, WIDTH - RIGHT)
    y = _Axis([point[1] for point in points], HEIGHT - BOTTOM, TOP)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12" fill="#1f2328">'
    )
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
    yield f'<text x="{LEFT}" y="24" font-size="14">{escape(plot.title)}</text>'
    for power in x.powers:
        at = x.at(10**power)
        yield _grid(at, TOP, at, HEIGHT - BOTTOM)
        yield _text(at, HEIGHT - BOTTOM + 18, f"{10**power:,}", "middle")
    for power in y.powers:
        at = y.at(10.0**power)
        yield _grid(LEFT, at, WIDTH - RIGHT, at)
        yield _text(LEFT - 8, at + 4, UNITS.get(power, f"{10 ** max(power, 0):,} s"), "end")
    yield _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, "events", "middle")
    labels = _apart([y.at(line[-1][1]) for line in plot.lines.values()])
    for (name, line), label, colour in zip(plot.lines.items(), labels, COLOURS, strict=False):
        placed = [(x.at(one), y.at(other)) for one, other in line]
        path = " ".join(f"{one:.1f},{other:.1f}" for one, other in placed)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for one, other in placed:
            yield f'<circle cx="{one:.1f}" cy="{other:.1f}" r="3" fill="{colour}"/>'
        yield (
            f'<text x="{placed[-1][0] + 8:.1f}" y="{label + 4:.1f}" fill="{colour}">'
            f"{escape(name)}</text>"
        )
    yield "</svg>"


class _Axis:
    """Where a value lies between two ends, on whole powers of ten."""

    def __init__(self, values: Sequence[float], begin: float, end: float) -> None:
        low, high = floor(log10(min(values))), ceil(log10(max(values)))
        self.powers = range(low, max(high, low + 1) + 1)
        self._begin, self._length = begin, end - begin

    def at(self, value: float) -> float:
        share = (log10(value) - self.powers[0]) / (len(self.powers) - 1)
        return self._begin + share * self._length


def _apart(heights: Sequence[float]) -> list[float]:
    """The same heights, moved so that their labels do not lie on each other."""
    placed = dict(enumerate(heights))
    order = sorted(placed, key=lambda number: placed[number])
    for above, below in pairwise(order):
        placed[below] = max(placed[below], placed[above] + 14)
    return [placed[number] for number in range(len(heights))]


def _grid(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#d8dee4"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
