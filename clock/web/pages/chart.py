"""Bars over time: how many jobs were enqueued, done and failed, and how long they waited.

A plot is stretched to the width of its place, so it has no text: that is beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from clock.observe.trends import Bucket, Trend
from clock.web.pages.times import duration

_HEIGHT = 100
_GAP = 0.15


def draw_counts(trend: Trend, labels: Sequence[str]) -> Markup:
    """A small plot of ``trend``: a bar a bucket, as high as there were jobs, enqueued or ended;
    the failed ones are its foot, in red. ``labels`` say when each bucket began.
    """
    buckets = trend.buckets
    top = max(map(_jobs, buckets)) or 1
    height = [_scaled(_jobs(bucket), top) for bucket in buckets]
    failed = [_scaled(bucket.failed, top) for bucket in buckets]
    shapes = _path("c-jobs", height) + _path("c-failed", failed)
    return _svg("chart small", _words(trend, labels), len(buckets), shapes)


def draw_enqueued(trend: Trend, labels: Sequence[str]) -> Markup:
    """The plot of what was enqueued."""
    values = [bucket.enqueued for bucket in trend.buckets]
    return _plot("c-enqueued", values, [f"{value:,}" for value in values], labels, "enqueued")


def draw_wait(trend: Trend, labels: Sequence[str]) -> Markup:
    """The plot of how long jobs waited on average."""
    waits = [bucket.wait or 0.0 for bucket in trend.buckets]
    return _plot("c-wait", waits, [duration(wait) for wait in waits], labels, "waited on average")


def draw_ended(trend: Trend, labels: Sequence[str]) -> Markup:
    """The plot of what was done, with the failed ones at the foot."""
    top = max(bucket.done + bucket.failed for bucket in trend.buckets) or 1
    shapes = Markup("")
    for at, (bucket, label) in enumerate(zip(trend.buckets, labels, strict=True)):
        foot, whole = _scaled(bucket.failed, top), _scaled(bucket.done + bucket.failed, top)
        if whole:
            title = f"{label}: {bucket.done:,} done, {bucket.failed:,} failed"
            failed = (
                Markup('<path class="c-failed" d="{}"/>').format(_bar(at, foot)) if foot else ""
            )
            shapes += Markup('<g><title>{}</title><path class="c-done" d="{}"/>{}</g>').format(
                title, _bar(at, whole), failed
            )
    total = trend.total
    words = f"{total.done:,} done, {total.failed:,} failed"
    return _svg("chart", words, len(trend.buckets), shapes)


def _plot(
    kind: str, values: Sequence[float], texts: Sequence[str], labels: Sequence[str], what: str
) -> Markup:
    top = max(values) or 1
    shapes = Markup("").join(
        Markup('<path class="{}" d="{}"><title>{}</title></path>').format(
            kind, _bar(at, _scaled(value, top)), f"{label}: {text} {what}"
        )
        for at, (value, text, label) in enumerate(zip(values, texts, labels, strict=True))
        if value
    )
    most = texts[values.index(top)] if any(values) else "0"
    return _svg("chart", f"at most {most} {what}", len(values), shapes)


def _svg(kind: str, words: str, width: int, shapes: Markup) -> Markup:
    return Markup(
        '<svg class="{}" role="img" aria-label="{}" viewBox="0 0 {} {}" '
        'preserveAspectRatio="none"><title>{}</title>{}</svg>'
    ).format(kind, words, width, _HEIGHT, words, shapes)


def _path(kind: str, heights: Sequence[float]) -> Markup:
    pieces = "".join(_bar(at, height) for at, height in enumerate(heights) if height)
    return Markup('<path class="{}" d="{}"/>').format(kind, pieces) if pieces else Markup("")


def _bar(at: int, height: float) -> str:
    return f"M{at + _GAP} {_HEIGHT}v{-height:g}h{1 - 2 * _GAP:g}v{height:g}z"


def _scaled(value: float, top: float) -> float:
    """The height of a bar: even a single failure among thousands is seen."""
    return max(4.0, round(value / top * _HEIGHT, 1)) if value else 0


def _jobs(bucket: Bucket) -> int:
    # Jobs that RQ itself enqueued are not counted as enqueued, but where they end.
    return max(bucket.enqueued, bucket.done + bucket.failed)


def _words(trend: Trend, labels: Sequence[str]) -> str:
    total = trend.total
    if not _jobs(total):
        return "nothing was counted"
    counts = [_jobs(bucket) for bucket in trend.buckets]
    fullest = counts.index(max(counts))
    wait = "" if total.wait is None else f", waited {duration(total.wait)} on average"
    return (
        f"{total.enqueued:,} enqueued, {total.done:,} done, {total.failed:,} failed{wait}; "
        f"most ({counts[fullest]:,}) from {labels[fullest]} on"
    )
