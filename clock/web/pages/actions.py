"""The actions on an event: pause, resume; and how every action ends."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from clock.ledger.descriptions import read_with_rows
from clock.ledger.pauses import Pause, pause, pause_end, resume
from clock.observe import objects
from clock.recurrence.zone import Zone, zone
from clock.web.auditing import auditing
from clock.web.error_response import ROOT
from clock.web.pages.local_time import read_local
from clock.web.pages.overview import action_message
from clock.web.pages.rendering import context_of, render

LONGEST_REASON = 200

LONGEST_QUERY = 2_000
"""Characters; servers and proxies reject long addresses."""

LONGEST_PAUSE = 10 * 366 * 86_400
"""Seconds. A longer pause must be one without end."""


def resume_event(request: Request) -> Response:
    """``POST /resume``: end the pause of ``event``."""
    context, event = context_of(request), field(request, "event")
    with auditing(request, "resume", event) as change:
        ended = resume(context.connection, context.app, event, context.now())
        change.before = objects.pause_object(ended)
    return finish(request, "resume", event)


def show_pause(request: Request) -> Response:
    """``GET /pause``: the form, for browsers without scripts."""
    event = request.query_params.get("event", "")
    return _ask_pause(request, event, "")


def pause_event(request: Request) -> Response:
    """``POST /pause``: pause ``event`` because of ``reason``, for as many seconds as ``for`` says,
    without end where that is empty, and until ``until``, a local time of the event, where that is
    "until".
    """
    context = context_of(request)
    event, now = field(request, "event"), context.now()
    try:
        end = _end_of(request.state.form, now, _zone_of(request, event))
    except ValueError as error:
        return _ask_pause(request, event, sentence_of(error))
    new_pause = Pause(
        until=end,
        reason=request.state.form.get("reason", "").strip()[:LONGEST_REASON],
        by=request.state.person.name,
        since=int(now),
    )
    with auditing(request, "pause", event) as change:
        change.before = objects.pause_object(
            pause(context.connection, context.app, event, new_pause)
        )
        change.after = objects.pause_object(new_pause)
    return finish(request, "pause", event)


def _end_of(form: dict[str, str], now: float, event_zone: Zone) -> int | None:
    """When the pause of a form ends, in UTC seconds since 1970; None for never.

    Raises ValueError, with a sentence for the user.
    """
    length = form.get("for", "")
    if not length:
        return None
    if length == "until":
        end = _local_end(form.get("until", ""), event_zone)
    elif length.isascii() and length.isdecimal() and len(length) < 12:
        end = int(now) + int(length)
    else:
        raise ValueError(f"{length[:40]!r} is not a number of seconds")
    if end - now > LONGEST_PAUSE:
        raise ValueError("that is more than ten years; choose until it is resumed")
    return pause_end(now, end)


def _local_end(text: str, event_zone: Zone) -> int:
    try:
        return read_local(text, event_zone)
    except ValueError:
        raise ValueError("enter a date and a time at which the pause ends") from None


def field(request: Request, name: str) -> str:
    """A field of the form. Raises HTTPException if it is missing or empty."""
    value: str = request.state.form.get(name, "")
    if not value:
        raise HTTPException(400, f"the form has no field {name!r}")
    return value


def sentence_of(error: Exception) -> str:
    """The reason of ``error`` as a sentence."""
    reason = str(error)
    return f"{reason[:1].upper()}{reason[1:]}."


def finish(request: Request, action: str, of: str) -> Response:
    """Redirect to the page of the form; a script gets a message as JSON instead."""
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"message": action_message(action, of)})
    path, _, query = request.state.form.get("back", "").partition("?")
    path = path if path in {"/", "/event", "/queues", "/jobs", "/job"} else "/"
    kept = [*_parameters(query), ("done", action), ("of", of)]
    return RedirectResponse(f"{request.scope[ROOT]}{path}?{urlencode(kept)}", 303)


def _parameters(query: str) -> list[tuple[str, str]]:
    """Those of the page of a form; none if they are not those of a page."""
    if len(query) > LONGEST_QUERY:
        return []
    try:
        return parse_qsl(query, max_num_fields=20, errors="strict")
    except ValueError:
        return []


def _ask_pause(request: Request, event: str, problem: str) -> Response:
    _zone_of(request, event)
    if problem and "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"detail": problem}, 400)
    origin = f"/event?{urlencode({'name': event})}"
    status = 400 if problem else 200
    return render(request, "pause.html", status, event=event, problem=problem, origin=origin)


def _zone_of(request: Request, event: str) -> Zone:
    context = context_of(request)
    known = read_with_rows(context.connection, context.app)
    return known[event].zone if event in known else zone("UTC")
