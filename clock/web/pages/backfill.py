"""Backfilling a span of an event: first what would be enqueued, then the question, then that."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from clock.decision import Group
from clock.errors import BackfillError
from clock.instant import utc_text
from clock.ledger.backfill import Backfill, Standing
from clock.observe.backfill import BackfillPlan, plan_backfill
from clock.observe.reading import read_event
from clock.observe.status import EventStatus
from clock.web.auditing import auditing
from clock.web.pages.actions import field, finish, sentence_of
from clock.web.pages.local_time import read_local, write_local
from clock.web.pages.rendering import context_of, may_act, render

MOST = 1_000
"""Occurrences of one span: they are enqueued while the browser waits."""

LISTED = 20
"""Occurrences named on the page."""

STANDINGS: Mapping[Standing, str] = {
    Standing.FIRED: "enqueued in their time",
    Standing.BACKFILLED: "backfilled before",
    Standing.PENDING: "left to the clock, which may still enqueue them",
    Standing.TAKEN: "not possible, because another job has the id",
}
"""Where occurrences stand that are left out."""


def show_backfill(request: Request) -> Response:
    """``GET /backfill``: what a backfill of ``event`` would enqueue, from the local time
    ``from`` until ``to`` on the event's clock; without them the form that asks for them. A preview
    is for those who may act: it runs a script, which the user of a server may be denied.
    """
    query = request.query_params
    name, given = query.get("event", ""), (query.get("from", ""), query.get("to", ""))
    context, now = context_of(request), context_of(request).now()
    event = _event(request, name, now)
    zone = event.description.zone
    if not any(given) or not may_act(request):
        return _ask(request, event, given if any(given) else _proposed(event))
    try:
        first, last = (read_local(text, zone) for text in given)
    except ValueError:
        return _ask(request, event, given, problem="Enter a date and a time for both ends.")
    backfill = Backfill.of_ledger(context.connection, app=context.app, event=name)
    try:
        plan = plan_backfill(backfill, event, first, last, now, MOST)
    except BackfillError as error:
        return _ask(request, event, given, problem=sentence_of(error))
    return _ask(request, event, given, plan=plan)


def backfill_event(request: Request) -> Response:
    """``POST /backfill``: enqueue the occurrences of ``event`` without a job, from the instant
    ``first`` to ``last`` (UTC seconds since 1970). Where they are not those of the ``plan``
    that was shown, it is shown again.
    """
    context, name = context_of(request), field(request, "event")
    first, last = (_instant(request, end) for end in ("first", "last"))
    now = context.now()
    event = _event(request, name, now)
    zone = event.description.zone
    backfill = Backfill.of_ledger(context.connection, app=context.app, event=name)
    plan = plan_backfill(backfill, event, first, last, now, MOST)
    if plan.digest != field(request, "plan"):
        problem = "The times of the event have changed since the preview. Look at it once more."
        span = write_local(first, zone), write_local(last, zone)
        return _ask(request, event, span, plan=plan, problem=problem)
    with auditing(request, "backfill", name) as change:
        open_ones = [candidate.scheduled for candidate in plan.to_enqueue]
        enqueued = backfill.push_all(open_ones, context.now).count(Standing.OPEN)
        change.after = {"from": utc_text(first), "until": utc_text(last), "enqueued": enqueued}
    return finish(request, "backfill", f"{enqueued} of {name}")


def _event(request: Request, name: str, now: float) -> EventStatus:
    context = context_of(request)
    return read_event(context.connection, context.app, name, now, tolerance=context.tolerance).event


def _instant(request: Request, name: str) -> int:
    digits = field(request, name)
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 12):
        raise HTTPException(400, f"the field {name!r} must be UTC seconds since 1970")
    return int(digits)


def _proposed(event: EventStatus) -> tuple[str, str]:
    """The span of what was missed last; empty where nothing was."""
    history = () if event.record is None else event.record.history
    missed = next((entry for entry in history if entry.kind.group is Group.MISSED), None)
    if missed is None:
        return "", ""
    zone = event.description.zone
    return write_local(missed.first, zone), write_local(missed.last, zone)


def _ask(
    request: Request,
    event: EventStatus,
    span: tuple[str, str],
    *,
    plan: BackfillPlan | None = None,
    problem: str = "",
) -> Response:
    return render(
        request,
        "backfill.html",
        400 if problem else 200,
        event=event,
        span=span,
        plan=plan,
        problem=problem,
        standings=STANDINGS,
        most=MOST,
        listed=LISTED,
    )
