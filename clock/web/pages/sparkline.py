"""A sparkline: numbers over time as a small line, without axes."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

HEIGHT = 20


def draw(values: Sequence[float], label: str, width: int = 100) -> Markup:
    """``values``, the oldest first, from zero to the largest; ``label`` says them in words."""
    top = max(values, default=0) or 1
    step = width / max(len(values) - 1, 1)
    points = " ".join(
        f"{at * step:.1f},{HEIGHT - 1 - value / top * (HEIGHT - 2):.1f}"
        for at, value in enumerate(values)
    )
    return Markup(
        '<svg class="sparkline" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" '
        'height="{}"><polyline points="{}"/></svg>'
    ).format(label, width, HEIGHT, width, HEIGHT, points)
