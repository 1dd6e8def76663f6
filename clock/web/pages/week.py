"""The week ahead: how many jobs each minute brings."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from clock.observe.snapshot import Snapshot, read_snapshot
from clock.observe.status import status
from clock.observe.upcoming import load
from clock.recurrence.zone import Zone, zone
from clock.web.pages.heatmap import draw, shade, steps
from clock.web.pages.rendering import context_of, render

WORST = 10


def show_week(request: Request) -> Response:
    """``GET /week``: on the clock of the zone ``tz``, else of the clock that ticked last.

    Raises RecurrenceError for a zone there is not.
    """
    context = context_of(request)
    now = context.now()
    snapshot = read_snapshot(context.connection, context.app, 1)
    shown = _zone(snapshot, request.query_params.get("tz", ""))
    found = load(status(snapshot, now).events, now, worst=WORST)
    levels = steps(found.counts)
    return render(
        request,
        "week.html",
        now=now,
        load=found,
        zone=shown,
        levels=[(low, shade(at, levels)) for at, low in enumerate(levels, 1)],
        heat=draw(found, levels, shown),
        others=[each for each in _zones(snapshot) if each != shown.name],
    )


def _zone(snapshot: Snapshot, name: str) -> Zone:
    if name:
        return zone(name)
    return zone(snapshot.lives[0].zone if snapshot.lives else "UTC")


def _zones(snapshot: Snapshot) -> list[str]:
    """The zones that somebody here thinks in."""
    named = {each.zone.name for each in snapshot.descriptions.values()}
    return sorted({"UTC", *named, *(life.zone for life in snapshot.lives)})
