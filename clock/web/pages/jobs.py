"""The page of the jobs in one state, across queues or of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from clock.observe.rq.entries import Stage
from clock.observe.rq.error_groups import read_groups
from clock.observe.rq.job_search import PAGE, find_jobs
from clock.observe.rq.listed_job import Filter
from clock.observe.rq.queues import queue_names
from clock.web.pages.overview import message_of
from clock.web.pages.rendering import context_of, render

LOOKED_AT = 1_000
"""Failed jobs whose errors are grouped above the list."""

CONDITIONS = ("queue", "event", "task", "error", "text", "group")
"""The fields of the filter that are text."""

SPANS: Mapping[str, str] = {
    "": "at any time",
    "900": "in the last 15 minutes",
    "3600": "in the last hour",
    "86400": "in the last day",
    "604800": "in the last week",
}
"""The spans of time in the form: seconds, and words."""

_LONGEST = 500


def show_jobs(request: Request) -> Response:
    """``GET /jobs``: the jobs in ``state`` that fit the filter, from ``cursor`` on; without a state
    the failed ones or, of a queue, those that wait. Failed ones are also grouped by their error, on
    the first page of all groups.
    """
    context, query = context_of(request), request.query_params
    connection, now = context.connection, context.now()
    # What somebody looks for first; a link of 0.1.0 names a queue.
    state = _stage(query.get("state", "queued" if "queue" in query else "failed"))
    which = read_filter(query, now)
    known = sorted(queue_names(connection))
    queues = known if which.queue is None else [which.queue]
    cursor = query.get("cursor")
    page = find_jobs(connection, queues, state, which, now=now, cursor=cursor, limit=PAGE)
    has_groups = state is Stage.FAILED and which.group is None and cursor is None
    groups = None
    if has_groups:
        groups = read_groups(connection, queues, which, now=now, most=LOOKED_AT)
    return render(
        request,
        "jobs.html",
        now=now,
        state=state,
        states=list(Stage),
        which=which,
        within=query.get("within", "") if query.get("within", "") in SPANS else "",
        spans=SPANS,
        known=known,
        page=page,
        is_first=cursor is None,
        most_live=LOOKED_AT,
        error_groups=groups,
        kept=_kept(query),
        message=message_of(request),
    )


def read_filter(given: Mapping[str, str], now: float) -> Filter:
    """The filter of a form or an address; an empty field stands for any. ``within`` is in seconds
    before ``now``.
    """
    conditions: dict[str, Any] = {
        name: given.get(name, "")[:_LONGEST] or None for name in CONDITIONS
    }
    within = given.get("within", "")
    if within and within in SPANS:
        conditions["since"] = now - int(within)
    return Filter(**conditions)


def _kept(query: Mapping[str, str]) -> dict[str, str]:
    """The conditions of this address, for its links and forms."""
    names = (*CONDITIONS, "within")
    return {name: query[name][:_LONGEST] for name in names if query.get(name)}


def _stage(word: str) -> Stage:
    try:
        return Stage(word)
    except ValueError:
        detail = f"the state must be one of {', '.join(Stage)}, not {word[:40]!r}"
        raise HTTPException(400, detail) from None
