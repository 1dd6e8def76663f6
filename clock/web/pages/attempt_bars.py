"""The attempts at a job, drawn in the order of time: how long each ran, and the waits between."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from clock.observe.rq.attempts import Attempt
from clock.web.pages.times import duration

_WIDTH, _HEIGHT = 960, 22
_NARROWEST = 4.0


def draw(attempts: Sequence[Attempt], now: float) -> Markup:
    """The plot of ``attempts``; one that runs ends at ``now``. Nothing where no time is known."""
    spans = [
        (attempt, attempt.started, now if attempt.ended is None else attempt.ended)
        for attempt in attempts
        if attempt.started is not None
    ]
    known = [(attempt, start, max(start, end)) for attempt, start, end in spans]
    if not known:
        return Markup("")
    first, last = min(start for _, start, _ in known), max(end for _, _, end in known)
    scale = (_WIDTH - _NARROWEST) / max(last - first, 0.001)
    parts = [
        Markup(
            '<g><title>{}</title><rect class="a-{}" x="{}" y="3" width="{}" height="16"/></g>'
        ).format(
            _words(attempt, end - start),
            attempt.outcome or "running",
            round((start - first) * scale, 1),
            round(max((end - start) * scale, _NARROWEST), 1),
        )
        for attempt, start, end in known
    ]
    return Markup(
        '<svg class="attempts" role="img" aria-label="{}" viewBox="0 0 {} {}" '
        'preserveAspectRatio="none"><path class="axis" d="M0 11H{}"/>{}</svg>'
    ).format(_summary(known), _WIDTH, _HEIGHT, _WIDTH, Markup("").join(parts))


def _words(attempt: Attempt, seconds: float) -> str:
    return f"attempt {attempt.number}: {attempt.outcome or 'running'}, {duration(seconds)}"


def _summary(known: Sequence[tuple[Attempt, float, float]]) -> str:
    words = "; ".join(_words(attempt, end - start) for attempt, start, end in known[:10])
    return f"{len(known)} attempts in the order of time: {words}"
