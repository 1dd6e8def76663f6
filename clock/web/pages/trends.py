"""What was enqueued, done and failed over time: all queues and events, or one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from clock.observe.trends import Of, Span, Trend, read_names, read_trends
from clock.recurrence.zone import Zone, zone
from clock.web.pages import chart
from clock.web.pages.rendering import context_of, render
from clock.web.pages.times import duration
from clock.web.pages.zone_choice import choice_of

QUEUES = 100
"""Queues shown on the page, the first by name."""

PAGE = 50
"""Events on a page."""

_FORMS: Mapping[int, str] = {60: "%H:%M", 3_600: "%a %d %b %H:%M"}
_DAY = "%a %d %b %Y"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A trend, the beginnings of its buckets in words, and its plot."""

    trend: Trend
    labels: list[str]
    plot: Markup


def show_trends(request: Request) -> Response:
    """``GET /trends``: over the ``span``, all queues, and a ``page`` of the events whose names
    contain ``q``; or only the queue or event (``of``) with this ``name``.
    """
    query = request.query_params
    span = _span(query.get("span", "day"))
    if "name" in query:
        return _show_one(request, span, query.get("of", "queue"), query["name"][:500])
    context, shown_zone = context_of(request), zone_of(request)
    connection, now, words = context.connection, context.now(), query.get("q", "")[:200]
    queues = read_names(connection, context.app, Of.QUEUE, now)
    events = [
        name
        for name in read_names(connection, context.app, Of.EVENT, now)
        if words.lower() in name.lower()
    ]
    pages = max(1, -(-len(events) // PAGE))
    page = min(_page(query.get("page", "1")), pages)
    shown = {
        Of.QUEUE: queues[:QUEUES],
        Of.EVENT: events[(page - 1) * PAGE : page * PAGE],
    }
    drawn = {
        of: draw(read_trends(connection, context.app, of, names, span, now).values(), shown_zone)
        for of, names in shown.items()
    }
    return render(
        request,
        "trends.html",
        now=now,
        zone=shown_zone,
        span=span,
        spans=list(Span),
        queues=drawn[Of.QUEUE],
        queue_count=len(queues),
        events=drawn[Of.EVENT],
        event_count=len(events),
        q=words,
        page=page,
        pages=pages,
    )


def _show_one(request: Request, span: Span, kind: str, name: str) -> Response:
    context = context_of(request)
    of, now = _of(kind), context.now()
    (trend,) = read_trends(context.connection, context.app, of, [name], span, now).values()
    shown_zone = zone_of(request)
    labels = labels_of(trend, shown_zone)
    return render(
        request,
        "trend.html",
        now=now,
        zone=shown_zone,
        of=of,
        name=name,
        span=span,
        spans=list(Span),
        trend=trend,
        labels=labels,
        plots=_plots(trend, labels),
    )


def _plots(trend: Trend, labels: Sequence[str]) -> Sequence[tuple[str, Any, str, Markup]]:
    """The plots of one queue or event: what each shows, what that is in all, the most in one bucket
    (empty for none), and the plot.
    """
    total, buckets = trend.total, trend.buckets
    enqueued = max(bucket.enqueued for bucket in buckets)
    ended = max(bucket.done + bucket.failed for bucket in buckets)
    longest = max(bucket.wait or 0.0 for bucket in buckets)
    return (
        (
            "Enqueued",
            f"{total.enqueued:,}",
            f"{enqueued:,}" if enqueued else "",
            chart.draw_enqueued(trend, labels),
        ),
        (
            "Done and failed",
            f"{total.done:,} and {total.failed:,}",
            f"{ended:,}" if ended else "",
            chart.draw_ended(trend, labels),
        ),
        (
            "Waited, on average",
            total.wait,
            duration(longest) if longest else "",
            chart.draw_wait(trend, labels),
        ),
    )


def draw(trends: Iterable[Trend], in_zone: Zone) -> list[Drawn]:
    """Small plots of ``trends``, for a list; instants are said on the clock of ``in_zone``."""
    drawn = []
    for trend in trends:
        labels = labels_of(trend, in_zone)
        drawn.append(Drawn(trend=trend, labels=labels, plot=chart.draw_counts(trend, labels)))
    return drawn


def labels_of(trend: Trend, in_zone: Zone) -> list[str]:
    """When each bucket began. Days are those of UTC."""
    form = _FORMS.get(trend.step)
    if form is None:
        return [f"{datetime.fromtimestamp(bucket.at, UTC):{_DAY}}" for bucket in trend.buckets]
    return [f"{in_zone.local(bucket.at):{form}}" for bucket in trend.buckets]


def zone_of(request: Request) -> Zone:
    """The zone in which instants are said: UTC where each event would have its own."""
    return choice_of(request).of(zone("UTC"))


def _span(word: str) -> Span:
    try:
        return Span(word)
    except ValueError:
        detail = f"the span must be one of {', '.join(Span)}, not {word[:40]!r}"
        raise HTTPException(400, detail) from None


def _of(word: str) -> Of:
    try:
        return Of(word)
    except ValueError:
        detail = f"of must be one of {', '.join(Of)}, not {word[:40]!r}"
        raise HTTPException(400, detail) from None


def _page(word: str) -> int:
    return int(word) if word.isascii() and word.isdecimal() and 0 < len(word) < 7 else 1
