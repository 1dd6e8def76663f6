"""The timeline: a plot of the last runs of an event, when they began and how long they took."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from clock.recurrence.zone import Zone
from clock.runs.run import Run
from clock.web.pages.times import duration, exact

_WIDTH, _HEIGHT = 960, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 10, 10, 24

_TICKS = (0.001, 0.01, 0.1, 1, 10, 60, 600, 3600, 36_000)
"""Seconds at which lines may be drawn; the scale is logarithmic, as runs differ widely."""


def draw(runs: Sequence[Run], zone: Zone) -> Markup:
    """The plot of ``runs``, the latest first; times at its foot are on the clock of ``zone``.

    A filled mark shows how long a run took, its shape the outcome; a ring, how long it waited.
    """
    if not runs:
        return Markup("")
    scale = _Scale(runs)
    parts = [*_grid(scale), *_feet(scale, zone)]
    parts += [_mark(run, scale, zone) for run in reversed(runs)]
    return Markup(
        '<svg class="plot" role="img" aria-label="{}" viewBox="0 0 {} {}">{}</svg>'
    ).format(_summary(runs), _WIDTH, _HEIGHT, Markup("").join(parts))


class _Scale:
    """The coordinates of an instant and of a duration on the plot."""

    def __init__(self, runs: Sequence[Run]) -> None:
        durations = [seconds for run in runs for seconds in (run.duration, run.wait)]
        self.lowest = max(min(max(seconds, 0.001) for seconds in durations) / 1.5, 0.0005)
        self.highest = max(max(durations) * 1.5, self.lowest * 10)
        self.first = min(run.started for run in runs)
        self.last = max(*(run.started for run in runs), self.first + 1)

    def x(self, instant: float) -> float:
        share = (instant - self.first) / (self.last - self.first)
        return round(_LEFT + 8 + share * (_WIDTH - _LEFT - _RIGHT - 16), 1)

    def y(self, seconds: float) -> float:
        low, high = math.log(self.lowest), math.log(self.highest)
        share = (math.log(max(seconds, self.lowest)) - low) / (high - low)
        return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM), 1)


def _grid(scale: _Scale) -> list[Markup]:
    return [
        Markup(
            '<path class="grid" d="M{} {}H{}"/><text x="{}" y="{}" text-anchor="end">{}</text>'
        ).format(_LEFT, scale.y(at), _WIDTH - _RIGHT, _LEFT - 8, scale.y(at) + 4, duration(at))
        for at in _TICKS
        if scale.lowest <= at <= scale.highest
    ]


def _feet(scale: _Scale, zone: Zone) -> list[Markup]:
    middle = (scale.first + scale.last) / 2
    labels = ((scale.first, "start"), (middle, "middle"), (scale.last, "end"))
    return [
        Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(
            scale.x(at), _HEIGHT - 6, anchor, exact(at, zone)
        )
        for at, anchor in labels
    ]


_SHAPES = {
    "succeeded": "m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0",
    "skipped": "m-4 -1.5h8v3h-8z",
    "retried": "m0 -5l5 8.5h-10z",
    "stopped": "m-4 -4h8v8h-8z",
    "failed": "m-5 -3l2 -2l3 3l3 -3l2 2l-3 3l3 3l-2 2l-3 -3l-3 3l-2 -2l3 -3z",
    "abandoned": "m-5 -3l2 -2l3 3l3 -3l2 2l-3 3l3 3l-2 2l-3 -3l-3 3l-2 -2l3 -3z",
}


def _mark(run: Run, scale: _Scale, zone: Zone) -> Markup:
    x = scale.x(run.started)
    return Markup(
        '<g class="run" data-key="{}" data-job="{}"><title>{}</title>'
        '<circle class="wait" cx="{}" cy="{}" r="2.5"/>'
        '<path class="o-{}" d="M{} {}{}"/></g>'
    ).format(
        f"{run.job} {run.attempt}",
        run.job,
        words(run, zone),
        x,
        scale.y(run.wait),
        run.outcome,
        x,
        scale.y(run.duration),
        _SHAPES[run.outcome],
    )


def words(run: Run, zone: Zone) -> str:
    """A run in one line; its start is on the clock of ``zone``."""
    attempt = f", attempt {run.attempt}" if run.attempt > 1 else ""
    error = f", {run.error[:200]}" if run.error else ""
    return (
        f"{exact(run.started, zone)}: {run.outcome}{error}; ran {duration(run.duration)}, "
        f"waited {duration(run.wait)}{attempt}"
    )


def _summary(runs: Sequence[Run]) -> str:
    lengths = sorted(run.duration for run in runs)
    return (
        f"The last {len(runs)} runs by when they began: they took {duration(lengths[0])} to "
        f"{duration(lengths[-1])}, {duration(lengths[len(lengths) // 2])} in the middle"
    )
