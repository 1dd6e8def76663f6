"""The week ahead: the number of jobs in each minute."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from clock.observe.reading import read_status
from clock.observe.status import AppStatus
from clock.observe.upcoming import load
from clock.recurrence.zone import Zone, zone
from clock.web.pages.heatmap import draw, shade, steps
from clock.web.pages.rendering import context_of, render

WORST = 10


def show_week(request: Request) -> Response:
    """``GET /week``: in the zone ``tz``, by default that of the clock that ticked last.

    Raises RecurrenceError for an unknown zone.
    """
    context = context_of(request)
    now = context.now()
    status = read_status(context.connection, context.app, now, decisions=1, runs=0)
    shown = _zone(status, request.query_params.get("tz", ""))
    week = load(status.events, now, worst=WORST)
    levels = steps(week.counts)
    return render(
        request,
        "week.html",
        now=now,
        load=week,
        zone=shown,
        levels=[(low, shade(at, levels)) for at, low in enumerate(levels, 1)],
        heat=draw(week, levels, shown),
        others=[name for name in _zones(status) if name != shown.name],
    )


def _zone(status: AppStatus, name: str) -> Zone:
    if name:
        return zone(name)
    return zone(status.lives[0].zone if status.lives else "UTC")


def _zones(status: AppStatus) -> list[str]:
    """The zones of the events and of the clocks."""
    named = {event.description.zone.name for event in (*status.events, *status.removed)}
    return sorted({"UTC", *named, *(life.zone for life in status.lives)})
