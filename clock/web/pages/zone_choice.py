"""The zone in which times are shown: that of each event, UTC, or the reader's own.

It is a cookie, so that every page is rendered in it; the header of a page has the buttons.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from clock.errors import RecurrenceError
from clock.recurrence.zone import Zone, zone
from clock.web.error_response import ROOT
from clock.web.pages.own_path import own_path

COOKIE = "clock_zone"

SECONDS = 365 * 86_400
"""Seconds until a browser forgets the choice."""

EVENT, IN_UTC = "event", "utc"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneChoice:
    """``show`` is "event", "utc" or the name of the reader's zone; ``fixed`` is the one zone of all
    times, None where each event has its own.
    """

    show: str = EVENT
    fixed: Zone | None = None

    def of(self, event_zone: Zone) -> Zone:
        """The zone in which a time of an event in ``event_zone`` is shown."""
        return self.fixed or event_zone


def parse_choice(text: str) -> ZoneChoice:
    """The choice of a cookie or a button; each event's own zone where it is not valid."""
    if text in {EVENT, ""}:
        return ZoneChoice()
    try:
        return ZoneChoice(show=text, fixed=zone("UTC" if text == IN_UTC else text))
    except RecurrenceError:
        return ZoneChoice()


def choice_of(request: Request) -> ZoneChoice:
    """The choice of who sent ``request``."""
    return parse_choice(request.cookies.get(COOKIE, ""))


def choose_zone(request: Request) -> Response:
    """``GET /zone``: show times in ``show`` from now on, and go ``back`` to a page of ours."""
    choice = parse_choice(request.query_params.get("show", "")[:64])
    root = request.scope[ROOT]
    response = RedirectResponse(own_path(request, root + request.query_params.get("back", "")), 303)
    response.set_cookie(
        COOKIE, choice.show, max_age=SECONDS, path=root or "/", httponly=True, samesite="lax"
    )
    return response
