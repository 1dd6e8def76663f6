"""The main page: a row per event, and whether the clocks are alive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from clock.ledger.clocks import Life
from clock.observe.reading import read_status
from clock.observe.rq.workers import count_workers
from clock.observe.state import State
from clock.observe.status import AppStatus
from clock.web.context import Context
from clock.web.pages import history_bars
from clock.web.pages.rendering import context_of, render
from clock.web.pages.row import ORDERS, URGENCY, Row, rows_of, sorted_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The content of the page: the status, its rows, and the queues without a worker."""

    status: AppStatus
    rows: Sequence[Row]
    without_worker: Sequence[str]

    @property
    def counted(self) -> list[tuple[State, int]]:
        """The number of events in each state, the most urgent first."""
        counts = Counter(row.state for row in self.rows)
        return [(state, counts[state]) for state in URGENCY if counts[state]]

    @property
    def last(self) -> Life | None:
        """The clock that ticked last."""
        return self.status.lives[0] if self.status.lives else None


def read_overview(context: Context, now: float) -> Overview:
    """Its content in four round trips, however many events there are. Raises ServerError."""
    connection = context.connection
    status = read_status(
        connection,
        context.app,
        now,
        tolerance=context.tolerance,
        decisions=history_bars.LENGTH,
        runs=history_bars.LENGTH,
    )
    enabled = [event for event in status.events if event.state is not State.DISABLED]
    workers = count_workers(connection, (event.description.queue for event in enabled))
    return Overview(
        status=status,
        rows=rows_of(status.events, status.runs, now),
        without_worker=sorted(queue for queue, count in workers.items() if count == 0),
    )


def show_overview(request: Request) -> Response:
    """``GET /``: ``sort`` is a column, with a minus in front for descending; ``q`` are words that a
    row must contain.
    """
    context = context_of(request)
    now = context.now()
    overview = read_overview(context, now)
    order, words = request.query_params.get("sort", "state"), request.query_params.get("q", "")
    column = order.removeprefix("-")
    column = column if column in ORDERS else "state"
    rows = sorted_rows(overview.rows, column, descending=order.startswith("-"))
    return render(
        request,
        "overview.html",
        now=now,
        overview=overview,
        rows=[row for row in rows if has_words(row, words)],
        bars={mark.name.lower(): bar for mark, bar in history_bars.BARS.items()},
        q=words,
        sort=column,
        descending=order.startswith("-"),
        message=message_of(request),
    )


def reload_old_page(request: Request) -> Response:
    """``GET /live``, which only a page of 0.1.0 asks for that is still open: it is to reload."""
    return JSONResponse({"now": context_of(request).now(), "banner": "", "reload": True})


def has_words(row: Row, words: str) -> bool:
    """Whether the row contains all of ``words``."""
    return all(word in row.words for word in words.lower().split())


_MESSAGES: Mapping[str, str] = {
    "run": "{} was enqueued.",
    "backfill": "{} were enqueued.",
    "pause": "{} is paused.",
    "resume": "{} is no longer paused.",
    "requeue": "{} was requeued.",
    "requeue-none": "{} is no longer a failed job.",
    "delete": "{} was deleted.",
    "delete-unknown": "{} no longer exists.",
    "delete-started": "{} was not deleted: it is running.",
    "delete-needed": "{} was not deleted: another job depends on it.",
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
