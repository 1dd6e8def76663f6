"""The main page: a line for each event, and whether the clocks are alive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from clock.ledger.clocks import Life
from clock.observe.reading import read_recent
from clock.observe.status import AppStatus
from clock.observe.trends import Of, Span, Trend, read_trends
from clock.web.context import Context
from clock.web.pages import history_bars
from clock.web.pages.attention_banner import AttentionBanner, read_banner, read_recent_status
from clock.web.pages.event_groups import Group
from clock.web.pages.event_page import EventPage, page_of
from clock.web.pages.event_query import EventQuery, parse_query
from clock.web.pages.rendering import context_of, render
from clock.web.pages.row import Row, rows_of
from clock.web.pages.trends import draw, zone_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The content of the page: the status, what needs attention, a page of the events, and a row
    and the last 24 hours of each of these.
    """

    status: AppStatus
    attention: AttentionBanner
    page: EventPage
    rows: Mapping[str, Row]
    trends: Mapping[str, Trend]

    @property
    def lines(self) -> list[Group | Row]:
        """The lines of the table."""
        return [
            line if isinstance(line, Group) else self.rows[line.name] for line in self.page.lines
        ]

    @property
    def can_add(self) -> bool:
        """Whether a source has rows that people edit."""
        return any(source.is_stored for source in self.status.sources)

    @property
    def last(self) -> Life | None:
        """The clock that ticked last."""
        return self.status.lives[0] if self.status.lives else None


def read_overview(context: Context, query: EventQuery, now: float) -> Overview:
    """Its content in eight round trips at most, however many events there are. Raises
    ServerError.
    """
    connection = context.connection
    status = read_recent_status(context, now)
    page = page_of(status, query)
    events, runs = read_recent(connection, context.app, page.events, history_bars.LENGTH)
    return Overview(
        status=status,
        attention=read_banner(context, now, status),
        page=page,
        rows={row.name: row for row in rows_of(events, runs, now, status.missing)},
        trends=read_trends(
            connection, context.app, Of.EVENT, [event.name for event in events], Span.DAY, now
        ),
    )


def show_overview(request: Request) -> Response:
    """``GET /``: the events that the query asks for, see ``clock.web.pages.event_query``."""
    context, query = context_of(request), parse_query(request.query_params)
    now = context.now()
    overview = read_overview(context, query, now)
    return render(
        request,
        "overview.html",
        now=now,
        attention=overview.attention,
        overview=overview,
        list=query,
        plots={
            drawn.trend.name: drawn.plot
            for drawn in draw(overview.trends.values(), zone_of(request))
        },
        bars={mark.name.lower(): bar for mark, bar in history_bars.BARS.items()},
        message=message_of(request),
    )


def reload_old_page(request: Request) -> Response:
    """``GET /live``, which only a page of 0.1.0 asks for that is still open: it is to reload."""
    return JSONResponse({"now": context_of(request).now(), "banner": "", "reload": True})


_MESSAGES: Mapping[str, str] = {
    "run": "{} was enqueued.",
    "backfill": "{} were enqueued.",
    "pause": "{} is paused.",
    "resume": "{} is no longer paused.",
    "put": "{} is saved; the clocks take it over within a second.",
    "remove": "{} is removed.",
    "requeue": "{} was requeued.",
    "requeue-none": "{} is no longer a failed job.",
    "delete": "{} was deleted.",
    "delete-unknown": "{} no longer exists.",
    "delete-started": "{} was not deleted: it is running.",
    "delete-needed": "{} was not deleted: another job depends on it.",
    "stop": "The worker of {} was asked to stop it.",
    "stop-none": "{} is not running.",
    "requeue-all": "{} jobs were requeued.",
    "delete-all": "{} jobs were deleted.",
}


def message_of(request: Request) -> str:
    """The message of the action that redirected here."""
    action, of = request.query_params.get("done", ""), request.query_params.get("of", "")
    return action_message(action, of[:200])


def action_message(action: str, of: str) -> str:
    """One sentence about an action on ``of``; empty for an unknown action."""
    return _MESSAGES[action].format(of) if action in _MESSAGES else ""
