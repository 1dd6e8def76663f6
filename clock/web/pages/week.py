"""The last week and the next: the number of jobs in each minute."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from clock.observe.reading import read_status
from clock.observe.status import AppStatus
from clock.observe.trends import read_enqueued
from clock.observe.upcoming import DAY, MINUTE, Load, load
from clock.recurrence.zone import Zone, zone
from clock.web.pages import heatmap, quarter_map
from clock.web.pages.heatmap import shade, steps
from clock.web.pages.rendering import context_of, render

WORST = 10

PAST = 7
"""Days shown of the past."""


def show_week(request: Request) -> Response:
    """``GET /week``: in the zone ``tz``, by default that of the clock that ticked last.

    Raises RecurrenceError for an unknown zone.
    """
    context = context_of(request)
    now = context.now()
    status = read_status(context.connection, context.app, now, decisions=1, runs=0)
    shown = _zone(status, request.query_params.get("tz", ""))
    week = load(status.events, now, worst=WORST)
    first = week.start - PAST * DAY
    enqueued = read_enqueued(context.connection, context.app, first, week.start)
    past = [enqueued.get(at, 0) for at in range(first, week.start, MINUTE)]
    # One scale for both.
    both = Load(start=first, counts=[*past, *week.counts], worst=(), unknown=())
    summary = (
        f"{sum(past)} jobs were enqueued in the last {PAST} days, {week.total} will be in the "
        f"next, {max(week.counts)} in the fullest minute; the table names it"
    )
    by_quarter = quarter_map.quarters(both)
    return render(
        request,
        "week.html",
        now=now,
        load=week,
        enqueued=sum(past),
        days=PAST,
        zone=shown,
        maps=[
            (
                name,
                _shades(counted),
                module.draw(counted, steps(counted.counts), shown, week.start, summary),
            )
            for name, module, counted in (
                ("by-minute", heatmap, both),
                ("by-quarter", quarter_map, by_quarter),
            )
        ],
        others=[name for name in _zones(status) if name != shown.name],
    )


def _shades(counted: Load) -> list[tuple[int, int]]:
    """The lowest number of jobs of each level, and its shade."""
    levels = steps(counted.counts)
    return [(low, shade(at, levels)) for at, low in enumerate(levels, 1)]


def _zone(status: AppStatus, name: str) -> Zone:
    if name:
        return zone(name)
    return zone(status.lives[0].zone if status.lives else "UTC")


def _zones(status: AppStatus) -> list[str]:
    """The zones of the events and of the clocks."""
    named = {event.description.zone.name for event in (*status.events, *status.removed)}
    return sorted({"UTC", *named, *(life.zone for life in status.lives)})
